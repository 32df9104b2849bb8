"""wanted: which points of a sweep are to run, and by what they are compared."""

from collections.abc import Iterator
from dataclasses import asdict

from qflow.records import dataclass
from qflow.sweep.sampling import DEFAULT


@dataclass(frozen=True)
class Wanted:
    """None where nothing was said."""

    sampler: str | None = None
    trials: int | None = None
    seed: int | None = None
    objective: str | None = None
    """`integer.accuracy`."""
    against: str | None = None
    """`weight_bytes`."""
    batch: int | None = None
    """Points a search asks for at once: how many a launcher runs at once when it begins. What is
    asked for depends on it, so it stays what it was when the sweep is resumed."""

    @property
    def kind(self) -> str:
        """Of sampler."""
        return self.sampler or DEFAULT

    @property
    def must_be_judged(self) -> bool:
        """Whether what is measured has to be known before the first point runs."""
        return self.kind != DEFAULT or self.objective is not None or self.against is not None

    def others(self, was: "Wanted") -> Iterator[str]:
        """What is said here and was not said there, a sentence each."""
        before = asdict(was)
        for name, value in asdict(self).items():
            if name == "batch" or value is None or value == before[name]:
                continue
            if before[name] is None:
                yield f"it was started without `--{name}`"
            else:
                yield f"it was started with `--{name} {before[name]}`"

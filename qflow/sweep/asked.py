"""asked: what a person asks of a sweep, and how the sweep is called."""

from collections.abc import Mapping
from dataclasses import field
from hashlib import sha256
from pathlib import Path

from qflow.records import dataclass
from qflow.sweep.wanted import Wanted

THREADS = 1
"""Of torch in every point. Sums of floats depend on their number, so it is the same wherever and
however many points run: one, because a sweep fills the cores with points."""
_LONGEST = 80


@dataclass(frozen=True)
class Asked:
    file: Path
    sweep: str | None = None
    varied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values per param, as written."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The same for all points, as `--set` takes them."""
    out: Path | None = None
    """Folder for the sweeps of the file."""
    threads: int | None = None
    composed: bool = False
    """Its points are composed of groups: no one file has them by its params."""
    wanted: Wanted = Wanted()
    """Which of the points are to run, and by what they are compared."""

    @property
    def name(self) -> str:
        """Of the sweep, fit for a folder; empty where neither a sweep nor params are named."""
        name = self.sweep or "+".join(self.varied)
        if len(name) <= _LONGEST:
            return name
        return f"{name[:_LONGEST]}-{sha256(name.encode()).hexdigest()[:8]}"

    @property
    def base(self) -> Path:
        """The folder with all sweeps of the file."""
        return self.out if self.out is not None else Path("sweeps") / self.file.stem

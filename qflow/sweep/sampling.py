"""sampling: what every sampler is: it is asked for points of the grid, and told what they gave.

All points are compiled before the first is asked for. A sampler knows nothing but what it was told,
and the same answers lead it the same way: to resume a search, it is made anew, and whoever leads
the sweep answers from the disk what it asks for again.
"""

from collections.abc import Sequence
from typing import Protocol

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.records import dataclass
from qflow.sweep.outcome import Outcome
from qflow.sweep.results.objective import Objective

KIND = "sweep.samplers"
DEFAULT = "grid"

Values = tuple[tuple[str, str], ...]
"""What the sweep varies, in its order: param to value."""


@dataclass(frozen=True)
class Search:
    """What a sampler is made of."""

    points: tuple[tuple[str, Values], ...]
    """The grid: name and values of each point, in order."""
    objective: Objective | None = None
    """What points are judged by; only a sampler that runs all of them needs none."""
    trials: int | None = None
    """How many points to run at most; None: as many as there are."""
    seed: int = 0

    @property
    def most(self) -> int:
        """Points that will run at most."""
        return min(len(self.points), len(self.points) if self.trials is None else self.trials)


class Sampler(Protocol):
    """A file of `samplers/`, called as the file; it is made of a `Search`."""

    @staticmethod
    def check() -> tuple[Diagnostic, ...]:
        """What is wrong before any work: a package that is not installed."""

    def ask(self, count: int) -> Sequence[str]:
        """Names of points to run next, `count` if it can be so; none when the search is over.

        No name comes twice. All that was asked for before must have been told.
        """

    def tell(self, outcome: Outcome) -> None:
        """What became of a point that was asked for; in any order within a batch."""


def check(name: str) -> None:
    """Raises QflowError, before any work: QF110 for a sampler that is not there, QF405 for a
    package it needs."""
    known = registry.names(KIND)
    if name not in known:
        near = registry.nearest(name, known)
        raise fail(
            Diagnostic(
                "QF110",
                f"there is no sampler called `{name}`",
                notes=(f"there are {', '.join(f'`{k}`' for k in known)}",),
                help=f"did you mean `{near[0]}`?" if near else "",
            )
        )
    if found := registry.load(KIND, name).check():
        raise QflowError(found)


def sampler(name: str, search: Search) -> Sampler:
    """The sampler called `name`.

    Raises QflowError as `check`, and QF328 where it needs an objective and there is none.
    """
    check(name)
    made: Sampler = registry.load(KIND, name)(search)
    return made

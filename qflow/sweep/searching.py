"""searching: the sampler of a sweep and what it judges by, from what was asked and frozen."""

from collections.abc import Callable, Iterable
from pathlib import Path

from qflow.plan.plan import Plan
from qflow.records import dataclass
from qflow.sweep.launcher import Launcher
from qflow.sweep.launchers import _options
from qflow.sweep.record import Record
from qflow.sweep.results import promised
from qflow.sweep.results.objective import Objective
from qflow.sweep.sampling import Sampler, Search, sampler


@dataclass(frozen=True)
class Searching:
    sampler: Sampler
    objective: Objective | None
    """None where the points themselves will show what is measured."""
    most: int
    """Points that will run at most."""


def searching(record: Record, plans: Callable[[], Iterable[Plan]], folder: Path) -> Searching:
    """`plans` gives those of the points; `folder` is that of the file.

    Raises QflowError: QF328 for an objective that no point will measure, QF110 and QF405 for a
    sampler that cannot be used.
    """
    wanted = record.wanted
    objective = None
    if wanted.must_be_judged:
        objective = promised.objective(wanted.objective, wanted.against, [*plans()], folder)
    points = tuple((p.name, p.values) for p in record.points)
    search = Search(points, objective, wanted.trials, wanted.seed or 0)
    return Searching(sampler(wanted.kind, search), objective, search.most)


def at_once(launcher: Launcher, threads: int) -> int:
    """How many points a launcher runs at once."""
    workers = getattr(launcher, "workers", None)
    return 1 if workers is None else _options.processes(workers, threads)

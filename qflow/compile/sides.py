"""sides: the two plans of a difference, from files, plans as JSON, or a git revision."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from qflow.compile.assemble import whole
from qflow.compile.front import front, unplanned
from qflow.diagnostics import Diagnostic, has_errors
from qflow.lang.sources import DISK, Sources
from qflow.plan.diff import Side
from qflow.records import dataclass

HARMLESS = frozenset({"QF201", "QF202"})
"""Errors that leave all else decided: a rule that selects nothing, or another number of modules."""
STALE = frozenset({"QF231", "QF301", "QF303"})
"""Warnings that the plan may not be that of the model: who reads a difference has to know."""


@dataclass(frozen=True)
class Judged:
    """A side, and what is wrong with it; `side.plan` is None where the file is missing."""

    side: Side
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def broken(self) -> bool:
        return has_errors(self.diagnostics)


def side(path: Path, name: str, settings: Mapping[str, str], sources: Sources = DISK) -> Judged:
    """One side. A mistyped rule is reported, and the plan is that of the others.

    Raises QflowError with every diagnostic where there is nothing to compare.
    """
    if path.suffix == ".json":
        return Judged(_of_json(path, name, sources))
    found = front(path, settings, sources=sources)
    plan = found.plan
    errors = [d for d in found.diagnostics if d.severity == "error"]
    if plan is None and found.unit is not None and {d.code for d in errors} <= HARMLESS:
        plan = whole(found.unit)
    if plan is None:
        raise unplanned(found)
    texts = dict(found.sources)
    told = tuple(d for d in found.diagnostics if d.severity == "error" or d.code in STALE)
    return Judged(Side(name, plan, texts), told, texts)


def missing(name: str) -> Judged:
    """The side on which a file does not exist."""
    return Judged(Side(name, None))


def _of_json(path: Path, name: str, sources: Sources) -> Side:
    """A plan as it was written. The program beside it may be another by now: no line is shown."""
    from qflow.plan.reader import loads

    return Side(name, loads(sources.text(path), name=path.as_posix()))

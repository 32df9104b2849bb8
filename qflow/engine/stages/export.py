"""export: every export block of the file, written from the finished model."""

from functools import partial
from pathlib import Path

from torch import fx

from qflow import registry
from qflow.emulation import file
from qflow.engine import prepared
from qflow.engine.work import CONVERT, EXPORT, LOGICAL, STATE, Stage, Work, last_state
from qflow.export._model.finished import Finished, Whole
from qflow.plan.plan import Plan


def stages(plan: Plan) -> tuple[Stage, ...]:
    """None where the file exports nothing."""
    reads = ((CONVERT, LOGICAL), (last_state(plan), STATE))
    return (Stage(EXPORT, make, reads=reads, weights=True),) if plan.exports else ()


def make(work: Work, folder: Path) -> None:
    """Writes what each target writes, at the paths of the blocks; what it notes is said."""
    graph = file.load(work.made[CONVERT].folder / LOGICAL)
    whole = Whole(work.plan, partial(_prepared, work), lambda: work.model.traced)
    finished = Finished(graph, whole)
    for export in work.plan.exports:
        path = folder / export.path
        path.parent.mkdir(parents=True, exist_ok=True)
        notes = registry.load("export", export.target)().write(finished, export, path)
        work.console.say(EXPORT, f"{export.target} {export.path}, {path.stat().st_size:,} bytes")
        for note in notes or ():
            work.console.say("", note)


def _prepared(work: Work) -> fx.GraphModule:
    module = prepared.load(work, last_state(work.plan))
    prepared.set_all(module, work, "validation")
    return module

"""export: every export block of the file, written from the logical integer graph."""

from pathlib import Path

from qflow import registry
from qflow.emulation import file
from qflow.engine.work import CONVERT, EXPORT, LOGICAL, Stage, Work
from qflow.plan.plan import Plan


def stages(plan: Plan) -> tuple[Stage, ...]:
    """None where the file exports nothing."""
    return (Stage(EXPORT, make, reads=((CONVERT, LOGICAL),)),) if plan.exports else ()


def make(work: Work, folder: Path) -> None:
    """Writes what each target writes, at the paths of the blocks."""
    graph = file.load(work.made[CONVERT].folder / LOGICAL)
    for export in work.plan.exports:
        path = folder / export.path
        path.parent.mkdir(parents=True, exist_ok=True)
        registry.load("export", export.target)().write(graph, export, path)
        work.console.say(EXPORT, f"{export.target} {export.path}, {path.stat().st_size:,} bytes")

"""What comes out of a sweep: a table, a sheet, a plot, and the best points as patches.

units, verdict: a number and a fate in a word; objective, direction, promised: what points are
compared by; pareto: which of them are best; grid, table, sheet: told as text; picture, places,
plot: drawn; defaults, unified, patches: what to change in the file to have one of them; written:
plot and patches as files.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from qflow.diagnostics import QflowError
from qflow.engine import files
from qflow.engine.console import Console
from qflow.sweep.outcome import Outcome
from qflow.sweep.results import direction, pareto, sheet, table, written
from qflow.sweep.results.objective import Objective

TABLE, SHEET, STAGES = "table.txt", "table.csv", "stages.csv"


def finish(
    folder: Path,
    outcomes: Sequence[Outcome],
    program: Path,
    console: Console,
    objective: Objective | None = None,
    settings: Mapping[str, str] | None = None,
    patched: bool = True,
) -> None:
    """Show the table, and write it, the plot and the patches of the best points into `folder`.

    What an earlier sweep left there is replaced or taken away. `settings` are those of all points.
    Without `patched` there are no patches: the points are not those of one file.
    All files but `stages.csv` are the same for the same outcomes, whoever ran them.
    Raises QflowError QF316 when the folder cannot be written.
    """
    compared = objective or Objective.parse(None, outcomes, higher=_direction(program, settings))
    best = pareto.front(outcomes, compared)
    plain = table.plain(outcomes, best, compared)
    files.write(folder / TABLE, plain)
    files.write(folder / SHEET, sheet.table(outcomes, best, compared))
    files.write(folder / STAGES, sheet.stages(outcomes))
    console.screen.print(table.screen(outcomes, best, compared, console.screen.width))
    console.log.text(plain)
    made = [TABLE, SHEET, *written.plot(folder, outcomes, best, compared, program, console)]
    console.say("results", f"{folder.as_posix()}/: {', '.join(made)}")
    written.patches(folder, best if patched else (), program, settings or {}, console)


def _direction(program: Path, settings: Mapping[str, str] | None) -> direction.Direction:
    """That of the program's own metrics, as far as it can still be read."""
    from qflow import compile as compiler
    from qflow import lang

    try:
        data = compiler.outline(lang.load(program), settings or {}).data
    except QflowError:
        return direction.own
    return direction.of_data(data, program.parent)

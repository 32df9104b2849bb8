"""table: the points of a sweep for people: on a terminal of any width, and as plain text."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qflow.diagnostics import EXIT
from qflow.sweep.outcome import Outcome
from qflow.sweep.results import units, verdict
from qflow.sweep.results.grid import BEST, SAID, Column, columns
from qflow.sweep.results.objective import Objective

_GAP = 2
_MOST_ROWS, _MOST_LINES = 60, 20
"""On a terminal, of points and of lines below; the file has all."""
_NARROW = 16
"""Characters that the values of a point have at least, on lines of their own."""


def screen(
    outcomes: Sequence[Outcome],
    best: Sequence[Outcome],
    objective: Objective | None,
    width: int,
) -> RenderableType:
    """For a terminal so many characters wide."""
    marked = {o.name for o in best}
    shown = [*best, *(o for o in outcomes if o.name not in marked)][:_MOST_ROWS]
    names = {o.name for o in shown}
    rows = [o for o in outcomes if o.name in names]
    found = _fitted(columns(rows, best, objective, stages=True), width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, _GAP - 1, 0, 0))
    for column in found:
        table.add_column(
            Text("\n".join(_head(column))),
            justify="right" if column.right else "left",
            no_wrap=not column.varied,
            overflow="fold",
        )
    for cells, outcome in zip(zip(*(c.cells for c in found), strict=True), rows, strict=True):
        table.add_row(*map(Text, cells), style=_style(outcome, marked))
    lines = list(below(outcomes, best, objective))
    more = [f"and {len(lines) - _MOST_LINES} lines more"] if len(lines) > _MOST_LINES else []
    if left := len(outcomes) - len(rows):
        more.insert(0, f"and {left} points more")
    ends = [f"{' '.join(more)} in table.txt"] if more else []
    return Group(Text(), table, Text(), *map(Text, [*lines[:_MOST_LINES], *ends]))


def plain(outcomes: Sequence[Outcome], best: Sequence[Outcome], objective: Objective | None) -> str:
    """For a file: as wide as it is, and the same for every run of the same points."""
    found = columns(outcomes, best, objective)
    head = _line(found, [c.head for c in found])
    rows = [_line(found, row) for row in zip(*(c.cells for c in found), strict=True)]
    rule = "-" * max(map(len, (head, *rows)))
    lines = [head, rule, *rows, "", *below(outcomes, best, objective)]
    return "\n".join(lines).rstrip("\n") + "\n"


def below(
    outcomes: Sequence[Outcome], best: Sequence[Outcome], objective: Objective | None
) -> Iterator[str]:
    """What the best are best in, then why points are not well."""
    if objective is None:
        yield "no point was measured, so none is best"
    elif best:
        cost = units.COSTS[objective.against][0]
        order = "higher" if objective.higher else "lower"
        yield f"{BEST} best: {objective.metric}, {order} is better, against {cost}"
    else:
        yield f"no point is best: none that is ok has a finite {objective.metric}"
    for outcome in outcomes:
        for reason in verdict.reasons(outcome):
            yield f"{outcome.name}: {reason}"


def _fitted(found: tuple[Column, ...], width: int) -> tuple[Column, ...]:
    """What there is room for: all; or without what was said as points ended, and what others
    tell; or with the values in one column, a line each, and then without more."""
    for most in (SAID, SAID - 1, SAID - 2):
        fitting = tuple(c for c in found if c.spare <= most)
        if _sum(fitting) <= width:
            return fitting
    varied = [c for c in found if c.varied]
    rows = zip(*(c.cells for c in varied), strict=True)
    cells = tuple(
        "\n".join(f"{c.name}={cell}" for c, cell in zip(varied, row, strict=True)) for row in rows
    )
    at = found.index(varied[0])
    rest = [c for c in found if not c.varied]
    point = Column("point", cells, right=False, varied=True)
    while _sum(rest) + _GAP + min(_NARROW, _width(point)) > width and any(c.spare for c in rest):
        rest.remove(max(rest, key=lambda c: c.spare))
    return (*rest[:at], point, *rest[at:])


def _sum(found: Sequence[Column]) -> int:
    return sum(_width(c) + _GAP for c in found) - _GAP


def _width(column: Column) -> int:
    lines = (line for cell in column.cells for line in cell.split("\n"))
    return max(map(len, (*_head(column), *lines)))


def _head(column: Column) -> list[str]:
    """`bit operations` over its unit, a word in a line."""
    return [*column.name.split(), *([column.unit] if column.unit else [])]


def _style(outcome: Outcome, best: set[str]) -> str:
    if outcome.name in best:
        return "bold green"
    if outcome.exit_code == EXIT.yes:
        return ""
    return "yellow" if verdict.is_broken(outcome) else "red"


def _line(found: Sequence[Column], cells: Sequence[str]) -> str:
    widths = [max(map(len, (c.head, *c.cells))) for c in found]
    padded = (
        cell.rjust(width) if c.right else cell.ljust(width)
        for c, cell, width in zip(found, cells, widths, strict=True)
    )
    return (" " * _GAP).join(padded).rstrip()

"""markdown: a difference as a comment or a job summary: a table per section, the counts above."""

from collections.abc import Iterator
from itertools import groupby

from qflow.diagnostics.renderers.markdown import code, inline
from qflow.plan.diff import Difference, Group, Line
from qflow.plan.diff.counts import counts
from qflow.plan.diff.text import first_of
from qflow.plan.show import visible


def render(found: Difference, file: str, full: bool = False) -> str:
    """A heading, the counts, then what changes, ending with a newline."""
    head = f"### {_code(file)}: {_escaped(found.before.name)} → {_escaped(found.after.name)}"
    if found.same:
        return f"{visible(head)}\n\nNo difference.\n"
    first, *rest = counts(found)
    lines = [
        head,
        "",
        f"**{_escaped(first)}**",
        "",
        *(f"- {_escaped(' '.join(r.split()))}" for r in rest),
    ]
    for section, groups in groupby(found.groups, key=lambda g: g.section):
        lines += ["", f"#### {section.capitalize()}", ""]
        lines += ["| at | field | before | after |", "|---|---|---|---|"]
        for group in groups:
            lines += _rows(group, full)
    return "\n".join(map(visible, lines)) + "\n"


def _rows(group: Group, full: bool) -> Iterator[str]:
    """The lines responsible, once, above what they change."""
    before, after = group.before, group.after
    shown, more = first_of(group.subjects, full)
    names = ", ".join(map(_code, shown)) + more
    if before is not None or after is not None:
        yield f"| {names} | _by line_ | {_line(before)} | {_line(after)} |"
        names = ""
    for change in group.fields:
        name = _code(change.field) if change.field else group.kind
        yield f"| {names} | {name} | {_cell(change.before)} | {_cell(change.after)} |"
        names = ""


def _line(line: Line | None) -> str:
    if line is None:
        return ""
    place = f"{_escaped(line.place)}: " if line.place else ""
    return place + (_code(line.text) if line.place else _escaped(line.text))


def _cell(value: str | None) -> str:
    return "" if value is None else _code(value)


def _code(text: str) -> str:
    """Verbatim in a cell: in backticks where nothing can end them or the cell."""
    if not text:
        return ""
    return code(text) if _ENDING & set(text) or not text.isprintable() else f"`{text}`"


_ENDING = frozenset("`|\\")


def _escaped(text: str) -> str:
    """Text that is no markup."""
    return inline(text.replace("`", "'"))

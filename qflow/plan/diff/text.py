"""text: a difference for a terminal: changed fields only, then the counts."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from qflow.plan.diff import Difference, FieldChange, Group, Line
from qflow.plan.diff.counts import counts
from qflow.plan.show import visible

_SHOWN = 6
"""Subjects named of one change; `--full` names all."""


def render(found: Difference, file: str, full: bool = False) -> str:
    """The whole of it, ending with a newline."""
    head = f"{file}: {found.before.name} -> {found.after.name}"
    if found.same:
        return f"{visible(head)}: no difference\n"
    lines = [head]
    for section, groups in groupby(found.groups, key=lambda g: g.section):
        lines += ["", section, *_section(list(groups), full)]
    return "\n".join(map(visible, [*lines, "", *counts(found)])) + "\n"


def _section(groups: list[Group], full: bool) -> Iterator[str]:
    said = None
    for group in groups:
        # one rule is shown once, above everything it does
        if (lines := [f"  {line}" for line in lines_of(group)]) != said:
            yield from lines
        said = lines
        single = len(group.subjects) == 1 and not any(c.field for c in group.fields)
        sign = {"added": "+ ", "removed": "- "}.get(group.kind, "")
        if not single:
            yield f"    {sign}{_listed(group.subjects, full)}"
        name = f"{sign}{group.subjects[0]}" if single else ""
        yield from (f"    {line}" for line in changed(group.fields, name))


def lines_of(group: Group) -> Iterator[str]:
    """The lines responsible: one where it is the same text on both sides."""
    before, after = group.before, group.after
    if before is not None and after is not None and before.text == after.text:
        place = after.place if before.place == after.place else f"{before.place} -> {after.place}"
        yield f"  {place.rjust(4)} | {after.text}"
        return
    if before is not None:
        yield f"- {_placed(before)}"
    if after is not None:
        yield f"+ {_placed(after)}"


def _placed(line: Line) -> str:
    return f"{line.place.rjust(4)} | {line.text}".rstrip(" |")


def first_of(subjects: tuple[str, ...], full: bool) -> tuple[tuple[str, ...], str]:
    """Names that are shown, of many the first ones, and ` and 3 more`."""
    shown = subjects if full or len(subjects) <= _SHOWN + 1 else subjects[:_SHOWN]
    more = len(subjects) - len(shown)
    return shown, f" and {more} more" if more else ""


def _listed(subjects: tuple[str, ...], full: bool) -> str:
    shown, more = first_of(subjects, full)
    return ", ".join(shown) + more


def changed(fields: Iterable[FieldChange], name: str) -> Iterator[str]:
    """`act.dtype  int8 -> int16`, in columns."""
    rows = [(c.field or name, _value(c.before), _value(c.after), c) for c in fields]
    width = max(len(r[0]) for r in rows)
    for shown, before, after, change in rows:
        arrow = f"{before} -> {after}"
        if not change.field and None in (change.before, change.after):
            # a subject that came or went
            arrow = after if change.before is None else before
        yield f"  {shown.ljust(width)}  {arrow}".rstrip()


def _value(value: str | None) -> str:
    return "-" if value is None else value

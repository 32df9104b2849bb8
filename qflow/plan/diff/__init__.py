"""diff: what differs between two plans, grouped so that the effect of one rule is read once."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Literal

from qflow.plan import cost, facts
from qflow.plan.cost import Cost
from qflow.plan.facts import Facts, Fields
from qflow.plan.places import Places
from qflow.plan.plan import Plan
from qflow.plan.said import Said
from qflow.records import dataclass

Kind = Literal["changed", "added", "removed"]


@dataclass(frozen=True)
class Side:
    """A plan, and the texts of its files for the lines that are shown."""

    name: str
    """`origin/main`, `working tree`, or the path of a file."""
    plan: Plan | None
    """None: there is no such file, and everything of the other side is new or gone."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Text by path, as in spans."""


@dataclass(frozen=True)
class Line:
    """The line responsible for a value."""

    place: str
    """`12`, or `npu.qf:12` in an imported file; empty where no line is."""
    text: str
    """The line as it is written, where its file is known; or what else decided."""


@dataclass(frozen=True)
class FieldChange:
    field: str
    """Empty: the subject as a whole."""
    before: str | None
    """None: the field is not there."""
    after: str | None


@dataclass(frozen=True)
class Group:
    """The same fields changing in the same way by the same lines, at one or many subjects."""

    section: str
    kind: Kind
    subjects: tuple[str, ...]
    before: Line | None
    after: Line | None
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class Difference:
    before: Side
    after: Side
    groups: tuple[Group, ...]
    """By section, then in the order of the plan."""
    changed: int
    """Addresses that are on both sides and differ."""
    modules: tuple[int, int]
    """Addresses before and after."""
    cost: tuple[Cost, Cost]
    again: tuple[str, ...]
    """Stages after that read something that differs: they run again."""

    @property
    def same(self) -> bool:
        return not self.groups and not self.again

    def count(self, section: str, kind: Kind) -> int:
        """Subjects of a section that changed, came or went."""
        found = {
            s for g in self.groups if (g.section, g.kind) == (section, kind) for s in g.subjects
        }
        return len(found)


def compare(before: Side, after: Side) -> Difference:
    """What differs in meaning: a line that moved, a comment, another name for a qconfig do not."""
    same = _alike(before.plan, after.plan)
    old, new = (facts.of(s.plan, same) if s.plan else {} for s in (before, after))
    groups = tuple(_grouped(_changes(old, new, before, after)))
    changed = {
        s for g in groups if (g.section, g.kind) == ("modules", "changed") for s in g.subjects
    }
    hashes = dict(before.plan.hashes) if before.plan else {}
    again = after.plan.hashes if after.plan else ()
    return Difference(
        before,
        after,
        groups,
        len(changed),
        (_modules(before.plan), _modules(after.plan)),
        (_cost(before.plan), _cost(after.plan)),
        tuple(name for name, digest in again if hashes.get(name) != digest),
    )


def _alike(before: Plan | None, after: Plan | None) -> frozenset[str]:
    """Addresses with the same decisions by the same lines, of which nothing has to be asked."""
    if before is None or after is None:
        return frozenset()
    now = {m.address: m for m in after.modules}
    return frozenset(m.address for m in before.modules if now.get(m.address) == m)


def _modules(plan: Plan | None) -> int:
    return len(plan.modules) if plan else 0


def _cost(plan: Plan | None) -> Cost:
    return cost.of(plan) if plan else Cost(0, 0)


_Key = tuple[str, Kind, "Line | None", "Line | None", tuple[FieldChange, ...]]


def _grouped(changes: Iterator[tuple[str, _Key]]) -> Iterator[Group]:
    found: dict[_Key, list[str]] = {}
    for subject, key in changes:
        found.setdefault(key, []).append(subject)
    order = {section: i for i, section in enumerate(facts.SECTIONS)}
    first: dict[object, int] = {}
    for place, key in enumerate(found):
        # all effects of the same lines stand together, where the first of them stands
        first.setdefault(key[:-1], place)

    def place_of(key: _Key) -> tuple[int, bool, int]:
        # what no line decided comes first, or it would seem to belong to the line above it
        return order[key[0]], (key[2], key[3]) != (None, None), first[key[:-1]]

    for key in sorted(found, key=place_of):
        subjects = found[key]
        section, kind, before, after, fields = key
        yield Group(section, kind, tuple(subjects), before, after, fields)


def _changes(old: Facts, new: Facts, before: Side, after: Side) -> Iterator[tuple[str, _Key]]:
    """Per subject one entry for each pair of lines that is responsible for some of its fields."""
    lines = _Lines(before), _Lines(after)
    for subject in [*old, *(s for s in new if s not in old)]:
        one, other = old.get(subject), new.get(subject)
        section, name = subject
        if one is None or other is None:
            kind: Kind = "added" if one is None else "removed"
            yield name, (section, kind, *_whole(section, one, other, *lines))
            continue
        split: dict[tuple[Line | None, Line | None], list[FieldChange]] = {}
        for field_name in [*one, *(f for f in other if f not in one)]:
            a, b = one.get(field_name), other.get(field_name)
            change = FieldChange(field_name, _value(a), _value(b))
            if change.before == change.after:
                continue
            # a field that is gone was given up by the line that set its neighbours
            pair = (
                lines[0](a or _leading(one, field_name)),
                lines[1](b or _leading(other, field_name)),
            )
            split.setdefault(pair, []).append(change)
        for (first, second), fields in split.items():
            yield name, (section, "changed", first, second, tuple(fields))


def _value(said: Said | None) -> str | None:
    return None if said is None else said.value


def _leading(fields: Fields, name: str) -> Said | None:
    """What stands for a missing field: the observer of its tensor, or its dtype, else nothing."""
    tensor = name.partition(".")[0]
    return fields.get(f"{tensor}.observer", fields.get(f"{tensor}.dtype"))


def _whole(
    section: str, one: Fields | None, other: Fields | None, before: "_Lines", after: "_Lines"
) -> tuple[Line | None, Line | None, tuple[FieldChange, ...]]:
    """A subject of one side only, with its fields as one text; its line is that of the last one."""
    fields = one if other is None else other
    assert fields is not None
    if section == "checks":
        text = f"{fields['severity'].value} {fields['claim'].value}"
    else:
        left_out = _UNSAID if section == "modules" else ()
        text = ", ".join(f"{n} {s.value}".strip() for n, s in fields.items() if n not in left_out)
    placed = next((s for s in reversed(fields.values()) if s.by is not None), None)
    if other is None:
        return before(placed), None, (FieldChange("", text, None),)
    return None, after(placed), (FieldChange("", None, text),)


_UNSAID = ("op", "act.scheme", "weight.scheme")
"""Fields that one line on a module has no room for."""


class _Lines:
    """The lines of one side."""

    def __init__(self, side: Side) -> None:
        self._places = Places(side.plan) if side.plan else None
        self._texts = {path: text.split("\n") for path, text in side.texts.items()}

    def __call__(self, said: Said | None) -> Line | None:
        if said is None:
            return None
        if said.by is None or self._places is None:
            return Line("", said.why) if said.why else None
        lines = self._texts.get(said.by.path, [])
        text = lines[said.by.line - 1].strip() if said.by.line <= len(lines) else ""
        return Line(self._places.short(said.by), text)

"""pairing: every tensor that wants a scale, with the entry of a table that has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from qflow.plan.closest import closest
from qflow.records import dataclass
from qflow.tables.entry import Entry, Table
from qflow.tables.name_map import NameMap

Status = Literal["matched", "guessed", "missing", "ambiguous"]
_LONGEST = 200
_NO_WORD = re.compile(r"[^A-Za-z0-9]+")
_ENDINGS = (re.compile(r"_output_\d+$"), re.compile(r"[_/][A-Z][A-Za-z0-9]*$"))
"""What exporters put behind a name: the number of an output, the operator."""


@dataclass(frozen=True)
class Wanted:
    """A tensor whose scale is asked for."""

    address: str
    aliases: tuple[str, ...] = ()
    """Other names of it, before its address: the last member of a fusion, an input, an output."""


@dataclass(frozen=True)
class Pair:
    address: str
    status: Status
    how: str = ""
    """By what it was found: name, map, position, alike."""
    entry: Entry | None = None
    """None where it is missing, or nothing says which one is meant."""
    names: tuple[str, ...] = ()
    """Of what is ambiguous all that is meant; of what is missing what looks like it."""
    note: str = ""


@dataclass(frozen=True)
class Index:
    """A table by name."""

    table: Table

    @cached_property
    def by_name(self) -> dict[str, tuple[Entry, ...]]:
        found: dict[str, list[Entry]] = {}
        for entry in self.table.entries:
            found.setdefault(entry.name, []).append(entry)
        return {name: tuple(entries) for name, entries in found.items()}

    @cached_property
    def short(self) -> tuple[str, ...]:
        """Names that may be shown."""
        return tuple(n for n in self.by_name if len(n) <= _LONGEST)

    @cached_property
    def alike(self) -> dict[str, tuple[str, ...]]:
        """Name without punctuation and endings to the names that have it."""
        found: dict[str, list[str]] = {}
        for name in self.by_name:
            for form in dict.fromkeys(_forms(name)):
                found.setdefault(form, []).append(name)
        return {form: tuple(names) for form, names in found.items()}


def pair(
    wanted: Sequence[Wanted],
    table: Table,
    names: NameMap | None = None,
    orders: Sequence[Sequence[str]] = (),
    first: bool = False,
) -> tuple[Pair, ...]:
    """One pair per tensor, in their order.

    `orders` are the ways in which the model's tensors can be counted, for a map by position;
    `first`: of several entries with one name the first is taken.
    """
    index = Index(table)
    if names is not None and names.by_position:
        return _by_position(wanted, table, orders)
    return tuple(_chosen(_one(w, index, names), index, first) for w in wanted)


def _one(wanted: Wanted, index: Index, names: NameMap | None) -> Pair:
    """The names that are meant; `_chosen` makes an entry of them."""
    address = wanted.address
    if names is not None and (meant := names.names_of(address)):
        there = [n for n in meant if n in index.by_name][:1]
        note = "" if there else f"the map says `{meant[0]}`, and the table has no such name"
        return Pair(address, "matched", "map", names=tuple(there), note=note)
    for name in (*wanted.aliases, address):
        if name in index.by_name:
            return Pair(address, "matched", "name", names=(name,))
    for name in (*wanted.aliases, address):
        if found := index.alike.get(_plain(name)):
            return Pair(address, "guessed", "alike", names=found)
    return Pair(address, "matched")


def _chosen(found: Pair, index: Index, first: bool) -> Pair:
    entries = [e for name in found.names for e in index.by_name[name]]
    if not entries:
        near = closest(found.address, index.short, cutoff=0.5)
        return Pair(found.address, "missing", names=tuple(near), note=found.note)
    if len(entries) > 1 and not first and not _agree(entries):
        return Pair(found.address, "ambiguous", found.how, names=tuple(e.name for e in entries))
    return Pair(found.address, found.status, found.how, entries[0], note=found.note)


def _agree(entries: Sequence[Entry]) -> bool:
    """Whether they say the same."""
    said = {(e.scale, e.threshold, e.bits, e.signed, e.unusable) for e in entries}
    return len(said) == 1


def _by_position(
    wanted: Sequence[Wanted], table: Table, orders: Sequence[Sequence[str]]
) -> tuple[Pair, ...]:
    count = len(table.entries)
    order = next((o for o in orders if len(o) == count), None)
    if order is None:
        sizes = ", ".join(str(len(o)) for o in dict.fromkeys(map(tuple, orders)))
        note = f"the table has {count} tensors, and the model {sizes}"
        return tuple(Pair(w.address, "missing", note=note) for w in wanted)
    # of a module that runs twice the first call counts
    entries: dict[str, Entry] = {}
    for address, entry in zip(order, table.entries, strict=True):
        entries.setdefault(address, entry)
    return tuple(
        Pair(w.address, "guessed", "position", entries[w.address])
        if w.address in entries
        else Pair(w.address, "missing")
        for w in wanted
    )


def _forms(name: str) -> list[str]:
    """The name without punctuation, then without its endings as well."""
    found = [_plain(name)]
    for ending in _ENDINGS:
        shorter = ending.sub("", name)
        if shorter != name:
            name = shorter
            found.append(_plain(name))
    return [f for f in found if f]


def _plain(name: str) -> str:
    return _NO_WORD.sub("_", name).strip("_")

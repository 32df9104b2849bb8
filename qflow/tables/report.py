"""report: what came of every table a file takes scales from: for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from qflow.diagnostics import Span
from qflow.records import dataclass
from qflow.tables.entry import Table
from qflow.tables.pairing import Pair

FORMAT_VERSION = "1.0"
_COLUMNS = ("address", "is", "by", "entry", "scale")
_MOST_UNUSED = 8


@dataclass(frozen=True)
class Taken:
    """A tensor and the scale it got."""

    pair: Pair
    scale: float | None = None
    """None: it has none from the table."""
    refused: str = ""
    """Why the entry it has was not taken."""


@dataclass(frozen=True)
class Import:
    """One `scales from` of a file."""

    at: Span
    source: str
    """The path as written."""
    table: Table
    taken: tuple[Taken, ...]

    @property
    def unused(self) -> tuple[str, ...]:
        """Names nobody asked for, in the order of the table."""
        used = {t.pair.entry.name for t in self.taken if t.pair.entry is not None}
        return tuple(dict.fromkeys(e.name for e in self.table.entries if e.name not in used))


def text(imports: Sequence[Import]) -> str:
    """A table of every import, ending with a newline."""
    return "\n".join("\n".join(_lines(i)) + "\n" for i in imports)


def _lines(found: Import) -> Iterator[str]:
    entries = len(found.table.entries)
    yield f"{found.source} ({found.table.format}, {entries} tensors), line {found.at.line}"
    rows = [_COLUMNS, *(_row(t) for t in found.taken)]
    widths = [max(len(r[i]) for r in rows) for i in range(len(_COLUMNS))]
    for row in rows:
        padded = "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True))
        yield f"  {padded}".rstrip()
    if unused := found.unused:
        more = f" and {len(unused) - _MOST_UNUSED} more" if len(unused) > _MOST_UNUSED else ""
        yield f"  not used: {', '.join(unused[:_MOST_UNUSED])}{more}"
    if found.table.parameters:
        yield f"  {len(found.table.parameters)} scales of weights are not taken"


def _row(taken: Taken) -> tuple[str, ...]:
    pair = taken.pair
    entry = pair.entry.name if pair.entry else ""
    if pair.status == "ambiguous":
        entry = " or ".join(dict.fromkeys(pair.names))
    last = repr(taken.scale) if taken.scale is not None else taken.refused or pair.note
    return (pair.address, pair.status, pair.how or "-", entry or "-", last or "-")


def plain(imports: Sequence[Import]) -> dict[str, Any]:
    """The same as JSON data."""
    return {"format_version": FORMAT_VERSION, "tables": [_record(i) for i in imports]}


def _record(found: Import) -> dict[str, Any]:
    return {
        "table": found.source,
        "format": found.table.format,
        "line": found.at.line,
        "tensors": [
            {
                "address": t.pair.address,
                "status": t.pair.status,
                "by": t.pair.how,
                "entry": t.pair.entry.name if t.pair.entry else None,
                "candidates": list(t.pair.names) if t.pair.entry is None else [],
                "scale": t.scale,
                "note": t.refused or t.pair.note,
            }
            for t in found.taken
        ],
        "unused": list(found.unused),
        "weights": list(found.table.parameters),
    }

"""changelog: `qconfig_changelogs.txt`: every field of a qconfig that is not what was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from qflow.quantization.facts import Change

FILE = "qconfig_changelogs.txt"
_HEAD = ("module", "field", "asked", "given", "why")


def changelog(changes: Sequence[Change]) -> str:
    """A line per change in aligned columns, in the order they were made."""
    if not changes:
        return "Every tensor is quantized as asked.\n"
    rows = [_HEAD, *((c.address, c.field, c.asked, c.given, c.why) for c in changes)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD) - 1)]
    lines = (
        "  ".join((*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]))
        for row in rows
    )
    return "\n".join(lines) + "\n"

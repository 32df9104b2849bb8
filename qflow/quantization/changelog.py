"""changelog: `qconfig_changelogs.txt`: every field of a qconfig that is not what was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from qflow.quantization.facts import Change
from qflow.quantization.table import table

FILE = "qconfig_changelogs.txt"
_HEAD = ("module", "field", "asked", "given", "why")


def changelog(changes: Sequence[Change]) -> str:
    """A line per change in aligned columns, in the order they were made."""
    if not changes:
        return "Every tensor is quantized as asked.\n"
    return table(_HEAD, ((c.address, c.field, c.asked, c.given, c.why) for c in changes))

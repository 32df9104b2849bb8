"""qflow: the name map that an export of our own writes beside its file: it has every scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.dtype import DTYPES
from qflow.tables.entry import Entry, Malformed, Table, positive
from qflow.tables.formats._numbers import Twice, document, finite, items, sequence

MAJOR = "1"
_PARAMETERS = (".weight", ".bias")


class Qflow:
    """Its names are addresses, so no name map is needed."""

    def knows(self, text: str) -> bool:
        """Whether it is an object with tensors and a version."""
        head = text.lstrip()
        return head.startswith("{") and '"tensors"' in text and '"format_version"' in text

    def read(self, text: str, shown: str) -> Table:
        """Raises Malformed."""
        found = document(text)
        version = str(found.get("format_version", ""))
        if version.partition(".")[0] != MAJOR:
            raise Malformed(f"its `format_version` is not {MAJOR}.x")
        pairs = items(found.get("tensors"), "`tensors`")
        kept = [(n, v) for n, v in pairs if not n.endswith(_PARAMETERS)]
        weights = tuple(n for n, _ in pairs if n.endswith(_PARAMETERS))
        return Table(shown, "qflow", tuple(_entry(n, v) for n, v in kept), weights)


def _entry(called: str, given: object) -> Entry:
    one: Mapping[str, Any] = Twice(items(given, f"`{called}`"))
    dtype = DTYPES.get(str(one.get("dtype")))
    if dtype is None:
        raise Malformed(f"`{called}` has a dtype there is none of")
    if one.get("scale") is None:
        return Entry(called, unusable="it has no scale")
    scales = sequence(one["scale"], f"the `scale` of `{called}`")
    if len(scales) != 1 or dtype.is_float or str(one.get("dtype")) not in ("int8", "int16"):
        return Entry(called, unusable="it is not on one grid of int8 or int16")
    scale = finite(scales[0], f"the `scale` of `{called}`")
    return Entry(called, scale=scale, bits=dtype.bits, unusable=positive(scale))

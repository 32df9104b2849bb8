"""v200: version 2.0.0: one list, in the words of ONNX; a zero point of 0 is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qflow.export._encodings import grid

if TYPE_CHECKING:
    from qflow.export._tables.rows import Row


def document(rows: Sequence[Row]) -> dict[str, Any]:
    return {"version": "2.0.0", "encodings": [_entry(r) for r in rows]}


def _entry(row: Row) -> dict[str, Any]:
    scales = grid.scales(row)
    entry: dict[str, Any] = {"name": row.tensor, "output_dtype": row.dtype}
    if row.axis is None:
        return {**entry, "y_scale": scales[0]}
    return {**entry, "y_scale": scales, "axis": row.axis}

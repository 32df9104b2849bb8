"""v100: version 1.0.0: two lists of named entries, scales and offsets as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qflow.export._encodings import grid, shared

if TYPE_CHECKING:
    from qflow.export._tables.rows import Row


def document(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "version": "1.0.0",
        "activation_encodings": [_entry(r) for r in rows if not grid.is_parameter(r)],
        "param_encodings": [_entry(r) for r in rows if grid.is_parameter(r)],
        "excluded_layers": [],
        "quantizer_args": shared.arguments(rows),
    }


def _entry(row: Row) -> dict[str, Any]:
    scales = grid.scales(row)
    return {
        "name": row.tensor,
        "dtype": "INT",
        "bw": grid.bits(row),
        "enc_type": "PER_TENSOR" if row.axis is None else "PER_CHANNEL",
        "is_sym": True,
        "scale": scales,
        "offset": [grid.offset(row)] * len(scales),
    }

"""v061: version 0.6.1: two mappings of names to lists, one entry per channel, truths as words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qflow.dtype import DTYPES
from qflow.export._encodings import grid, shared

if TYPE_CHECKING:
    from qflow.export._tables.rows import Row


def document(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "version": "0.6.1",
        "activation_encodings": {r.tensor: _entries(r) for r in rows if not grid.is_parameter(r)},
        "param_encodings": {r.tensor: _entries(r) for r in rows if grid.is_parameter(r)},
        "excluded_layers": [],
        "quantizer_args": shared.arguments(rows),
    }


def _entries(row: Row) -> list[dict[str, Any]]:
    dtype = DTYPES[row.dtype]
    return [
        {
            "bitwidth": grid.bits(row),
            "dtype": "int",
            "is_symmetric": "True",
            "min": scale * dtype.qmin,
            "max": scale * dtype.qmax,
            "offset": grid.offset(row),
            "scale": scale,
        }
        for scale in grid.scales(row)
    ]

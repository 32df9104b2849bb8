"""shared: what versions 0.6.1 and 1.0.0 say of all entries together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from qflow.export._encodings import grid

if TYPE_CHECKING:
    from qflow.export._tables.rows import Row

_USUAL_BITS = 8


def arguments(rows: Sequence[Row]) -> dict[str, Any]:
    """How most of the entries are; each entry says how it is itself."""
    parameters = [r for r in rows if grid.is_parameter(r)]
    return {
        "activation_bitwidth": _most(grid.bits(r) for r in rows if not grid.is_parameter(r)),
        "param_bitwidth": _most(grid.bits(r) for r in parameters),
        "per_channel_quantization": any(r.axis is not None for r in parameters),
        "is_symmetric": True,
        "dtype": "int",
        "quant_scheme": "post_training_tf",
    }


def _most(bits: Iterable[int]) -> int:
    found = list(bits)
    return max(sorted(set(found)), key=found.count, default=_USUAL_BITS)

"""Softmax of 8 bits by float32 estimates: torch's own softmax, and the exact rule where it is near
a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import BYTES
from qflow.emulation.ops import _exponents
from qflow.emulation.ops._exponents import FRACTION

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.op import Call

EXP_ERROR = 2.0**-18
"""Relative error allowed to an exp of float32; that of torch is 1 to 20 last places."""
TABLE_ERROR = 2.0
"""Steps by which an exponent of the table may differ from the one the estimate means."""
MOST_ERROR = 2.0**-5
"""Of a share near the end of the grid; a worse estimate would leave too much to the exact rule."""


def fast(
    call: Call, exactly: Callable[[Tensor], Tensor], device: Any
) -> Callable[[Tensor], Tensor] | None:
    """The fast path of a softmax whose exact rule, for whole rows along the axis, is `exactly`;
    None where there is none, or where it would not be worth it.

    What the estimate errs by, relatively: the exponents by the rounding of `x scale` and its
    distance to the largest, and by exp itself, both in dividend and divisor; the sum of n of them
    by n roundings; then the quotient, the product with `unit`, and the half that is added.
    """
    import torch

    from qflow.emulation.runtimes._settled import BEYOND, UNIT, by_rows, settle

    a, source, output = call.node.attributes, call.sources[0], call.node.output
    scale = None if source.scale is None else float(source.scale[0])
    on_grid = source.dtype in BYTES and output.dtype in BYTES and scale is not None
    if device.type != "cpu" or a["dim"] != len(source.shape) - 1 or not on_grid:
        return None
    count, zero = source.shape[-1], call.zero_point
    unit = float(call.constants["unit"][0]) * 2.0 ** -int(call.constants["shift"][0])
    meant = _exponents.constants_for(source.dtype, scale)["exponents"].astype(np.int64)
    if np.abs(meant - call.constants["exponents"]).max() > 1:
        return None  # a table of something else, which a file may hold
    exponent = 4 * BEYOND * scale * UNIT + EXP_ERROR
    relative = 2 * exponent + (count + 10) * UNIT + count * TABLE_ERROR * 2.0**-FRACTION
    absolute = unit * TABLE_ERROR * 2.0**-FRACTION
    if relative * BEYOND + absolute > MOST_ERROR:
        return None

    step, margin, half = (torch.tensor(v, dtype=torch.float32) for v in (scale, absolute, 0.5))
    low, high, dtype = a["low"] - zero, a["high"] - zero, getattr(torch, output.dtype)

    def estimated(x: Tensor, doubtful: Tensor) -> Tensor:
        estimate = half.add((x * step).softmax(-1), alpha=unit)
        found = settle(estimate, relative, margin, low, high, doubtful)
        return (found.add_(zero) if zero else found).to(dtype)

    def as_given(rows: Tensor) -> Tensor:
        shaped = rows.reshape(-1, *(1,) * (len(source.shape) - 2), count)
        return exactly(shaped).reshape(rows.shape)

    return by_rows(estimated, as_given)

"""quantize: float values become integers of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.emulation.builder import scale
from qflow.emulation.op import Call, Fast, Op, Range, form
from qflow.emulation.rounding import fast_to_grid, to_grid

if TYPE_CHECKING:
    from torch import Tensor


class Quantize(Op):
    """Attributes: rounding (half_even, half_up, half_away), low, high. Raises QF403 for NaN."""

    name = "quantize"
    role = "boundary"
    reads = ("float32", "int32")
    """Whole numbers are values as they are."""
    fields = form(rounding="rounding", low="integer", high="integer")
    any_layout = True

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        real = operands[0].astype(np.float32)
        if np.isnan(real).any():
            raise _not_a_number(call)
        a = call.node.attributes
        zero = call.zero_point
        low, high = a["low"] - zero, a["high"] - zero
        return to_grid(real, scale(call.node.output), a["rounding"], low, high) + zero

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a = call.node.attributes
        step = torch.from_numpy(scale(call.node.output)).to(device)
        zero, dtype = call.zero_point, getattr(torch, call.node.output.dtype)

        def run(x: Tensor) -> Tensor:
            # the least value is NaN where one of them is, and found faster than by looking for it
            if x.numel() and x.amin().isnan():
                raise _not_a_number(call)
            found = fast_to_grid(x, step, a["rounding"], a["low"] - zero, a["high"] - zero)
            return (found.add_(zero) if zero else found).to(dtype)

        return Fast(run)


def _not_a_number(call: Call) -> QflowError:
    return fail(
        Diagnostic(
            "QF403",
            f"`{call.node.address}` reads a value that is not a number",
            help="look for it in the data: an integer grid has no place for it",
        )
    )

"""quantize: `sat(round_away(float32(x) * float32(1 / S)))`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.emulation.op import CLAMP, Call, Constant, Fast, Range
from qflow.emulation.sophgo.rounding import round_away
from qflow.emulation.steps import quantize as general

if TYPE_CHECKING:
    from torch import Tensor


class Quantize(general.Quantize):
    """Attributes: low, high. Constant: factor, 1 / scale. Raises QF403 for NaN."""

    fields = CLAMP

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {"factor": Constant(("float32",), ((1,),), low=0)}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if np.isnan(operands[0]).any():
            raise _not_a_number(call)
        a = call.node.attributes
        with np.errstate(over="ignore"):  # a product beyond float32 is infinite, and clamped
            product = operands[0].astype(np.float32) * call.constants["factor"]
        near = np.clip(product, a["low"] - 1, a["high"] + 1)  # infinity is not rounded
        return np.clip(round_away(near), a["low"], a["high"]).astype(np.int64)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a = call.node.attributes
        factor = torch.from_numpy(call.constants["factor"]).to(device)

        def run(x: Tensor) -> Tensor:
            if x.isnan().any():
                raise _not_a_number(call)
            # beyond the clamp nothing is rounded, and within it float64 holds the sum with one half
            product = (x.float() * factor).clamp_(a["low"] - 1, a["high"] + 1).double()
            away = torch.copysign(product.abs().add_(0.5).floor_(), product)
            return away.clamp_(a["low"], a["high"]).float() + 0.0

        return Fast(run)


def _not_a_number(call: Call) -> QflowError:
    return fail(
        Diagnostic(
            "QF403",
            f"`{call.node.address}` reads a value that is not a number",
            help="look for it in the data: an integer grid has no place for it",
        )
    )

"""mul: the product of two dequantized tensors, quantized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.float_profile import half_even
from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.ops import mul

if TYPE_CHECKING:
    from torch import Tensor


class Mul(mul.Mul):
    """`y = half_even(((a - zp_a) * s_a) * ((b - zp_b) * s_b) / s_y) + zp_y`, each in float32.

    Source: DequantizeLinear, Mul and QuantizeLinear of ONNX. A tensor and a number are as the
    profile rescales.
    """

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if len(operands) == 1:
            return super().oracle(call, *operands)
        a = call.node.attributes
        left, right = (
            call.centred(i, x).astype(np.float32) * scale(call.sources[i])
            for i, x in enumerate(operands)
        )
        product = np.float32(a["sign"]) * (left * right)
        found = half_even(product / scale(call.node.output)) + call.zero_point
        return np.clip(found, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if len(call.sources) == 1:
            return super().fast(call, ranges, device)
        import torch

        a, zero = call.node.attributes, call.zero_point
        first, second, target = (
            torch.from_numpy(scale(t)).to(device) for t in (*call.sources, call.node.output)
        )

        def run(x: Tensor, y: Tensor) -> Tensor:
            left = (x.float() - call.zero(0)) * first
            right = (y.float() - call.zero(1)) * second
            found = (left * right * a["sign"]).div_(target).round_().add_(zero)
            return found.clamp_(a["low"], a["high"])

        return Fast(run)

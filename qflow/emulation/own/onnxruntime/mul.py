"""mul: QLinearMul, which rounds behind the zero point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.float_profile import half_even
from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.own.onnx_qdq import mul
from qflow.emulation.own.onnxruntime import _bytes

if TYPE_CHECKING:
    from torch import Tensor


class Mul(mul.Mul):
    """`y = half_even(float32(float32(a * b) * ratio) + float32(zp_y))`, a tie to the even integer.

    ratio = float32(float32(s_a * s_b) / s_y). Source: QLinearMul of onnxruntime on x86-64,
    measured. A tensor and a number, and wider operands, are as in graphs that dequantize.
    """

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if len(operands) == 1 or not _bytes.only_in(call):
            return super().oracle(call, *operands)
        a = call.node.attributes
        product = a["sign"] * call.centred(0, operands[0]) * call.centred(1, operands[1])
        real = product.astype(np.float32) * call.constants["ratio"] + np.float32(call.zero_point)
        return np.clip(half_even(real), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if len(call.sources) == 1 or not _bytes.only_in(call):
            return super().fast(call, ranges, device)
        import torch

        a, zero = call.node.attributes, float(call.zero_point)
        ratio = torch.from_numpy(call.constants["ratio"] * np.float32(a["sign"])).to(device)

        def run(x: Tensor, y: Tensor) -> Tensor:
            product = (x.float() - call.zero(0)) * (y.float() - call.zero(1))
            return product.mul(ratio).add_(zero).round_().clamp_(a["low"], a["high"])

        return Fast(run)

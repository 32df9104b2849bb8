"""mul: the product of two dequantized tensors, quantized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.float_profile import half_even
from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.ops import _table, mul
from qflow.emulation.ops._arithmetic import number
from qflow.emulation.own.onnx_qdq import _by_number

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Mul(mul.Mul):
    """`y = half_even(((a - zp_a) * s_a) * ((b - zp_b) * s_b) / s_y) + zp_y`, each in float32.

    Source: DequantizeLinear, Mul and QuantizeLinear of ONNX. A tensor and a number are a
    table of the same.
    """

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if not _by_number.applies(node, build):
            super().lower(node, build)
            return
        by = np.float32(number(node.attributes["scalar"], "scalar"))
        _by_number.lower(node, build, lambda real: real * by)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _table.roles(call) if _by_number.by_table(call) else super().roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if _by_number.by_table(call):
            return _table.oracle(call, operands[0])
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
        if _by_number.by_table(call):
            return _table.fast(call, device)
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

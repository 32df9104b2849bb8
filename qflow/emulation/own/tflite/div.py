"""div: DIV by a reciprocal in fixed point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import Builder, scale
from qflow.emulation.op import Call, Constant, Fast, Range, Unsupported, op
from qflow.emulation.ops import div
from qflow.emulation.ops._arithmetic import number
from qflow.emulation.ops._rescaled import reach
from qflow.emulation.own.tflite import _quotients
from qflow.emulation.profiles.tflite_reference import TfliteReference

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode

LIMITS = {"multiplier": (0, (1 << 31) - 1), "shift": TfliteReference.shifts}


class Div(div.Div):
    """With a and b, the operands without their zero points, M = float32(s_a / float32(s_b * s_y)):

        y = divided(high(high(a * 2^h, 1 / b), multiplier), h + n + shift - 31)

    b is above 0 (both change signs for that) and 2^n <= b < 2^(n+1), 1 / b in 2^(-31-n) by Newton
    steps, h the headroom of a, `high` as in `tflite.reference`, multiplier and shift those of M.
    Where a quotient is far below 1 the last shift leaves its 31 bits and the result is no quotient
    (`_quotients.divided`). LiteRT refuses to divide by 0; as in the general operator that
    saturates. Source: `DivElementwise` of LiteRT, measured under every resolver on x86-64.
    """

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a = node.attributes
        if "scalar" in a and not a.get("reflected"):
            factor = {"scalar": number(1 / a["scalar"], "1 / scalar")}
            product = op("mul", build.profile.own)  # its rule is its own
            product.lower(replace(node, op="mul", attributes=factor), build)
            return
        if "scalar" in a:
            super().lower(node, build)
            return
        inputs = node.inputs[::-1] if a.get("reflected") else node.inputs
        left, right = (build.types[i] for i in inputs)
        build.operand(node, 0), build.operand(node, 1)
        output = build.output_type(node, self.shape({}, [left.shape, right.shape]))
        dtypes = {left.dtype, right.dtype, output.dtype}
        if len(dtypes) > 1:
            raise Unsupported(f"dtypes {', '.join(sorted(dtypes))}: TFLite divides within one")
        steps = [scale(t)[0] for t in (left, right, output)]
        ratio = np.float32(steps[0] / np.float32(steps[1] * steps[2]))
        multiplier, shift = TfliteReference().derive(np.array([ratio], np.float64))
        constants = {"multiplier": multiplier.astype(np.int32), "shift": shift.astype(np.int32)}
        build.emit(node, "div", inputs, output, build.clamp(node, output), constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {
            role: Constant(("int32",), ((1,),), low=low, high=high)
            for role, (low, high) in LIMITS.items()
        }

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, b = (call.centred(i, x) for i, x in enumerate(operands))
        found = _quotients.of(a, b, *_multiplier(call))
        signed = np.where(b == 0, np.sign(a) * div.INFINITE, found) + call.zero_point
        return np.clip(signed, call.node.attributes["low"], call.node.attributes["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        low, high = call.node.attributes["low"], call.node.attributes["high"]
        zeros, zero = (call.zero(0), call.zero(1)), call.zero_point
        divide = _quotients.fast(*_multiplier(call), reach(call, ranges, 1), device)

        def run(x: Tensor, y: Tensor) -> Tensor:
            a, b = (t.long() - z for t, z in zip((x, y), zeros, strict=True))
            found = torch.where(b == 0, a.sign() * div.INFINITE, divide(a, b))
            return found.add_(zero).clamp_(low, high).float()

        return Fast(run, "int64")


def _multiplier(call: Call) -> tuple[int, int]:
    return int(call.constants["multiplier"][0]), int(call.constants["shift"][0])

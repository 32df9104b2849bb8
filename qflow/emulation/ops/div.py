"""div: the quotient of two tensors, or of a tensor and a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.fixed import BITS, fixed_point
from qflow.emulation.op import CLAMP, Call, Constant, Example, Fast, Range, Unsupported
from qflow.emulation.ops import _table
from qflow.emulation.ops._arithmetic import Arithmetic, number
from qflow.emulation.ops.mul import by_number

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

LEAST_SHIFT, MOST_SHIFT = -15, 46
"""Of an operand and its multiplier 48 bits are used: 15 more, or 46 behind b, fit int64."""
INFINITE = 1 << 40
"""A quotient by 0: beyond every dtype, whatever its zero point."""


class Div(Arithmetic):
    """Attributes: scalar, reflected, where there are such; shapes broadcast as in torch.

    By a number: a product with one over it. A number by a tensor: a table. Two tensors, a and b
    without their zero points, M = s_a / (s_b * s_y) = multiplier * 2^-shift:

        y = sign * (|a| * multiplier + d / 2) / d,  d = |b| * 2^shift,  rounded down

    so half away from zero, off by half a step and 2^-30 of the quotient. By 0 the quotient has the
    sign of a and saturates; 0 by 0 is 0. The rule is our own, the same in every profile.
    """

    name = "div"
    modules = ("qflow.nn.Div",)
    functions = (
        "operator.truediv",
        "operator.itruediv",
        "torch.div",
        "torch.divide",
        "torch.true_divide",
        "torch.Tensor.div",
        "torch.Tensor.div_",
        "torch.Tensor.divide",
        "torch.Tensor.true_divide",
        "torch.Tensor.__truediv__",
        "torch.Tensor.__rtruediv__",
        "torch.Tensor.__rdiv__",
        "torch.Tensor.__itruediv__",
        "torch.Tensor.__div__",
    )
    ordered = True
    fields = CLAMP
    within = _table.INTERPOLATED
    examples = (
        Example(
            ((2, 3), (2, 3)), written=("x / y", "torch.div(x, y)"), kinds=("float", "positive")
        ),
        Example(((2, 3, 4, 4), (1, 3, 1, 1)), kinds=("float", "positive"), activation="relu"),
        Example(((2, 3),), {"scalar": 6}, written=("x / 6", "x.div(6)"), kinds=("positive",)),
        Example(
            ((2, 3),), {"scalar": 1.0, "reflected": True}, written=("1.0 / x",), kinds=("positive",)
        ),
    )

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        if (mode := kwargs.get("rounding_mode")) is not None:
            raise Unsupported(f"rounding_mode = {mode!r}: only the quotient itself is computed")
        return super().attributes_of_function(function, args, kwargs, shapes)

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        by_zero = attributes.get("scalar") == 0 and not attributes.get("reflected")
        return "scalar = 0: nothing is divided by 0" if by_zero else ""

    def compute(self, left: Any, right: Any) -> Any:
        return left / right

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a = node.attributes
        if a.get("reflected") and "scalar" in a:
            _table.lower(node, build, "reciprocal", lambda x: self.real(a, x), self.within)
            return
        if "scalar" in a:
            by_number(node, build, number(1 / a["scalar"], "1 / scalar"))
            return
        inputs = tuple(reversed(node.inputs)) if a.get("reflected") else node.inputs
        left, right = (build.types[i] for i in inputs)
        build.operand(node, 0), build.operand(node, 1)
        output = build.output_type(node, self.shape({}, [left.shape, right.shape]))
        steps = [float(scale(t)[0]) for t in (left, right, output)]
        factor = fixed_point(steps[0] / (steps[1] * steps[2]), LEAST_SHIFT, MOST_SHIFT)
        constants = {
            n: np.array([v], np.int32) for n, v in zip(("factor", "shift"), factor, strict=True)
        }
        build.emit(node, "div", inputs, output, build.clamp(node, output), constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {
            "factor": Constant(("int32",), ((1,),), low=0, high=(1 << BITS) - 1),
            "shift": Constant(("int32",), ((1,),), low=LEAST_SHIFT, high=MOST_SHIFT),
        }

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, b = (call.centred(i, x) for i, x in enumerate(operands))
        factor, shift = (int(call.constants[n][0]) for n in ("factor", "shift"))
        numerator = (np.abs(a) * factor) << max(-shift, 0)
        divisor = np.abs(b) << max(shift, 0)
        quotient = (numerator + divisor // 2) // np.maximum(divisor, 1)
        quotient = np.where(b == 0, INFINITE, quotient)
        signed = np.sign(a) * np.where(b < 0, -1, 1) * quotient + call.zero_point
        return np.clip(signed, call.node.attributes["low"], call.node.attributes["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        attributes, zero = call.node.attributes, call.zero_point
        zeros = call.zero(0), call.zero(1)
        factor, shift = (int(call.constants[n][0]) for n in ("factor", "shift"))

        def run(x: Tensor, y: Tensor) -> Tensor:
            a, b = (t.long() - z for t, z in zip((x, y), zeros, strict=True))
            divisor = b.abs() << max(shift, 0)
            numerator = (a.abs() * factor << max(-shift, 0)) + (divisor >> 1)
            quotient = torch.div(numerator, divisor.clamp_(min=1), rounding_mode="floor")
            quotient = torch.where(b == 0, INFINITE, quotient)
            signed = torch.where((a < 0) ^ (b < 0), -quotient, quotient).mul_(a != 0)
            return signed.add_(zero).clamp_(attributes["low"], attributes["high"]).float()

        return Fast(run, "int64")

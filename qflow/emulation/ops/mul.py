"""mul: the product of two tensors, or of a tensor and a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.gemm import carrier_for, centred_ranges, reach
from qflow.emulation.op import ROUNDED, Call, Constant, Example, Fast, Range, form
from qflow.emulation.ops import _rescaled
from qflow.emulation.ops._arithmetic import Arithmetic, number
from qflow.emulation.profile import Ratio

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Mul(Arithmetic):
    """Attribute: scalar, where there is one; shapes broadcast as in torch.

    In integers one product and one rescale; a number is part of the rescale, `sign` is its sign.
    """

    name = "mul"
    functions = (
        "operator.mul",
        "operator.imul",
        "torch.mul",
        "torch.multiply",
        "torch.Tensor.mul",
        "torch.Tensor.mul_",
        "torch.Tensor.multiply",
        "torch.Tensor.__mul__",
        "torch.Tensor.__rmul__",
        "torch.Tensor.__imul__",
    )
    fields = form(sign="integer", low="integer", high="integer")
    within = ROUNDED
    examples = (
        Example(((2, 3), (2, 3)), written=("x * y", "torch.mul(x, y)", "x.mul(y)")),
        Example(((2, 3, 4, 4), (2, 3, 1, 1)), written=("x * y",)),
        Example(((2, 3, 4), (4,)), activation="relu"),
        Example(
            ((2, 3),),
            {"scalar": 0.5},
            written=("x * 0.5", "0.5 * x", "torch.mul(x, 0.5)", "x.mul_(0.5)"),
        ),
        Example(((2, 3),), {"scalar": -3}, written=("x * -3",)),
        Example(((2, 3),), {"scalar": 0}, written=("x * 0",)),
    )

    def compute(self, left: Any, right: Any) -> Any:
        return left * right

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if "scalar" in node.attributes:
            by_number(node, build, number(node.attributes["scalar"], "scalar"))
            return
        left, right = build.operand(node, 0), build.operand(node, 1)
        output = build.output_type(node, self.shape({}, [left.shape, right.shape]))
        ratio = Ratio((scale(left), scale(right)), (scale(output),))
        constants = build.profile.rescale_constants(ratio)
        attributes = {**build.clamp(node, output), "sign": 1}
        build.emit(node, "mul", node.inputs, output, attributes, constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _rescaled.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        product = call.node.attributes["sign"] * call.centred(0, operands[0])
        if len(operands) == 2:
            product = product * call.centred(1, operands[1])
        return _rescaled.oracle(call, product)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        from qflow.emulation.runtimes import _bytes
        from qflow.emulation.runtimes._blocks import blockwise

        looked_up = _bytes.of_each(call, device)
        if looked_up is not None:
            return Fast(looked_up)
        sign = call.node.attributes["sign"]
        bounds = [reach(r) for r in centred_ranges(call, ranges)]
        if len(bounds) == 1:
            turned = None if sign == 1 else lambda x: x * sign
            return _rescaled.fast_each(call, bounds[0], device, turned)
        bound = bounds[0] * bounds[1]
        carrier = carrier_for(bound, device)
        dtype = getattr(torch, carrier)
        end = _rescaled.finish(call, bound, device)
        zeros = call.zero(0), call.zero(1)

        def product(*operands: Tensor) -> Tensor:
            left, right = (
                t.to(dtype) - z if z else t.to(dtype) for t, z in zip(operands, zeros, strict=True)
            )
            return end(left * right * sign if sign != 1 else left * right)

        run = blockwise(product)
        return Fast(lambda x, y: run(*torch.broadcast_tensors(x, y)), carrier, bound)


def by_number(node: PreparedNode, build: Builder, value: float) -> None:
    """Emit a node that multiplies by a number."""
    sign = (value > 0) - (value < 0)
    shape = build.operand(node, 0).shape
    made = replace(node, op="mul")
    _rescaled.lower(made, build, shape, {"sign": sign}, factor=abs(value) if sign else 1.0)

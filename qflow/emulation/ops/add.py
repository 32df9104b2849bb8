"""add: the sum of two tensors, or of a tensor and a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import scale
from qflow.emulation.gemm import centred_ranges, reach
from qflow.emulation.op import CLAMP, ROUNDED, Call, Constant, Example, Fast, Range, Unsupported
from qflow.emulation.ops._arithmetic import Arithmetic
from qflow.emulation.profile import Limits, constants_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Add(Arithmetic):
    """Attributes: scalar, alpha, where there are such; shapes broadcast as in torch.

    In integers two tensors of one shape, without attributes.
    """

    name = "add"
    integer = True
    functions = (
        "operator.add",
        "operator.iadd",
        "torch.add",
        "torch.Tensor.add",
        "torch.Tensor.add_",
        "torch.Tensor.__add__",
        "torch.Tensor.__radd__",
        "torch.Tensor.__iadd__",
    )
    pattern_word = "add"
    fields = CLAMP
    any_layout = True
    within = ROUNDED
    examples = (
        Example(((2, 3, 4, 5), (2, 3, 4, 5)), written=("x + y", "torch.add(x, y)", "x.add(y)")),
        Example(((2, 30), (2, 30)), activation="relu"),
    )
    float_examples = (
        Example(((2, 3),), {"scalar": 2.0}, written=("x + 2.0", "2.0 + x", "torch.add(x, 2.0)")),
        Example(((2, 3, 4), (3, 1)), written=("x + y",)),
        Example(((2, 3), (2, 3)), {"alpha": 2}, written=("torch.add(x, y, alpha=2)",)),
    )

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if "alpha" in attributes:
            return f"alpha = {attributes['alpha']!r}: multiply before the sum instead"
        if "scalar" in attributes:
            return "one operand is a number: only two tensors can be added"
        if tuple(shapes[0]) != tuple(shapes[1]):
            return f"shapes {tuple(shapes[0])} and {tuple(shapes[1])} must be equal"
        return ""

    def compute(self, left: Any, right: Any) -> Tensor:
        result: Tensor = left + right
        return result

    def lower(self, node: PreparedNode, build: Builder) -> None:
        left, right = build.operand(node, 0), build.operand(node, 1)
        output = build.output_type(node, self.shape({}, [left.shape, right.shape]))
        bits = max(DTYPES[left.dtype].bits, DTYPES[right.dtype].bits)
        constants = build.profile.add_constants(scale(left), scale(right), scale(output), bits)
        build.emit(node, "add", node.inputs, output, build.clamp(node, output), constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        if tuple(shapes[0]) != tuple(shapes[1]):
            raise Unsupported(f"shapes {shapes[0]} and {shapes[1]} must be equal")
        return tuple(shapes[0])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return constants_of(call.profile, "add", ((1,),))

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        left, right = (call.centred(i, x) for i, x in enumerate(operands))
        total = call.profile.add(left, right, call.constants) + call.zero_point
        return np.clip(total, call.node.attributes["low"], call.node.attributes["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from qflow.emulation.runtimes._blocks import blockwise

        a, zero = call.node.attributes, call.zero_point
        left, right = map(reach, centred_ranges(call, ranges))
        limits = Limits(right, a["low"] - zero, a["high"] - zero)
        run = blockwise(call.profile.fast_add(call.constants, left, limits, device))
        zeros = call.zero(0), call.zero(1)
        if not any((*zeros, zero)):
            return Fast(run)
        return Fast(lambda x, y: run(x.float() - zeros[0], y.float() - zeros[1]).add_(zero))

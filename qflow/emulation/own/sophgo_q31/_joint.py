"""Joint: two tensors with a multiplier each and one shift; their sum or the larger is rounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.op import CLAMP, Call, Constant, Fast, Op, Range, Unsupported
from qflow.emulation.sophgo import fast as rounding_in_torch
from qflow.emulation.sophgo import q31
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.reading import integers, limits
from qflow.emulation.sophgo.rounding import cvms

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

BYTE = (-128, 127)
ONE, TWO = ((1,),), ((2,),)
LONGEST = 31


class Joint(Op):
    """Attributes: low, high. `sat(cvms(x * m0 joined with y * m1, 1, r))`."""

    integer = True
    operands = (2, 2)
    keeps_type = False
    fields = CLAMP
    signs: ClassVar[tuple[int, int]] = (1, 1)
    fixed: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Further attributes of the node of two tensors."""

    def join(self, left: Any, right: Any) -> Any:
        """Of two arrays or two tensors."""
        return left + right

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if "alpha" in attributes:
            return f"alpha = {attributes['alpha']!r}: multiply before the sum instead"
        if "scalar" in attributes or "constant" in attributes:
            return "one operand is a constant: bfloat16 on CV18xx"
        return ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if len(node.inputs) != 2:
            raise Unsupported("one operand is a constant: bfloat16 on CV18xx")
        sources = [source_scale(node, i) for i in (0, 1)]
        multipliers, shift = q31.sum_of(sources, target_scale(node))
        shapes = [build.operand(node, i).shape for i in (0, 1)]
        output = build.output_type(node, self.shape({}, shapes))
        signed = [s * m for s, m in zip(self.signs, multipliers, strict=True)]
        constants = {"multiplier": integers(*signed), "shift": integers(shift)}
        attributes = {**self.fixed, **limits(node, output)}
        build.emit(node, node.op, node.inputs, output, attributes, constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        try:
            return tuple(int(n) for n in np.broadcast_shapes(*shapes))
        except ValueError:
            raise Unsupported(f"shapes {shapes[0]} and {shapes[1]} do not fit together") from None

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {
            "multiplier": Constant(("int32",), TWO, low=BYTE[0], high=BYTE[1]),
            "shift": Constant(("int32",), ONE, low=0, high=LONGEST),
        }

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        multiplier = call.constants["multiplier"].astype(np.int64)
        terms = [x.astype(np.int64) * m for x, m in zip(operands, multiplier, strict=True)]
        return np.clip(cvms(self.join(*terms), 1, call.constants["shift"]), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        first, second = (float(m) for m in call.constants["multiplier"])
        bound = sum(max(map(abs, r)) * abs(m) for r, m in zip(ranges, (first, second), strict=True))
        one = np.ones(1, np.int64)
        rounded = rounding_in_torch.cvms(one, call.constants["shift"], int(bound), device)

        def run(left: Tensor, right: Tensor) -> Tensor:
            total = self.join(left.float() * first, right.float() * second)
            return rounded(total).clamp_(a["low"], a["high"])

        return Fast(run)

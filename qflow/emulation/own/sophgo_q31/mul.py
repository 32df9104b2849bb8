"""mul: of two tensors on CV18xx: a 31-bit multiplier, two roundings. A number makes a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, Call, Constant, Fast, Range, Unsupported
from qflow.emulation.ops.mul import Mul as General
from qflow.emulation.own.sophgo import lookup
from qflow.emulation.own.sophgo_q31._joint import Joint
from qflow.emulation.profile import Limits
from qflow.emulation.sophgo import fast as rounding_in_torch
from qflow.emulation.sophgo import q31
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.reading import integers, limits
from qflow.emulation.sophgo.rescale import multiplier_and_shift
from qflow.emulation.sophgo.rounding import q31_rescale

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Mul(General):
    """Attributes: low, high."""

    integer = True
    operands = (2, 2)
    fields = CLAMP

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return "one operand is a constant: bfloat16 on CV18xx" if "constant" in attributes else ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if "scalar" in node.attributes:
            factor = float(node.attributes["scalar"])
            return lookup.lower(node, build, lambda x: x * factor)
        if len(node.inputs) != 2:
            raise Unsupported("one operand is a constant: bfloat16 on CV18xx")
        left, right = (source_scale(node, i) for i in (0, 1))
        multiplier, shift = q31.product(left, right, target_scale(node))
        shapes = [build.operand(node, i).shape for i in (0, 1)]
        output = build.output_type(node, self.shape({}, shapes))
        constants = {"multiplier": integers(multiplier), "shift": integers(shift)}
        build.emit(node, "mul", node.inputs, output, limits(node, output), constants)

    shape = Joint.shape

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return multiplier_and_shift()

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        multiplier, shift = (call.constants[k].astype(np.int64) for k in ("multiplier", "shift"))
        product = operands[0].astype(np.int64) * operands[1].astype(np.int64)
        return np.clip(q31_rescale(product, multiplier, shift), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        bound = max(map(abs, ranges[0])) * max(map(abs, ranges[1]))
        clamp = Limits(bound, a["low"], a["high"])
        finish = rounding_in_torch.q31_rescale(
            call.constants["multiplier"], call.constants["shift"], clamp, device
        )

        def run(left: Tensor, right: Tensor) -> Tensor:
            return finish(left.float() * right.float())

        return Fast(run)

"""affine: `sat(RSR(x * m + k, r))`: a tensor and a number, what add, sub, mul and neg become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, Call, Constant, Fast, Op, Range
from qflow.emulation.sophgo.reading import integers, limits
from qflow.emulation.sophgo.rescale import ONE, fast_shift, multiplier_and_shift
from qflow.emulation.sophgo.rounding import shift_right
from qflow.emulation.sophgo.shift8 import INT16

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


def emit_affine(
    node: PreparedNode, build: Builder, multiplier: int, offset: int, shift: int
) -> None:
    """The node that stands for one operand and a number."""
    output = build.output_type(node, build.operand(node, 0).shape)
    constants = {
        "multiplier": integers(multiplier),
        "offset": integers(offset),
        "shift": integers(shift),
    }
    build.emit(node, "affine", node.inputs, output, limits(node, output), constants)


class Affine(Op):
    """Attributes: low, high. Only lowering makes it."""

    name = "affine"
    role = "elementwise"
    fields = CLAMP
    any_layout = True

    def roles(self, call: Call) -> Mapping[str, Constant]:
        offset = Constant(("int32",), ONE, low=INT16[0], high=-INT16[0])
        return {**multiplier_and_shift(), "offset": offset}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        multiplier, offset, shift = (
            call.constants[k].astype(np.int64) for k in ("multiplier", "offset", "shift")
        )
        total = operands[0].astype(np.int64) * multiplier + offset
        return np.clip(shift_right(total, shift), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        multiplier, offset = (int(call.constants[k][0]) for k in ("multiplier", "offset"))
        bound = max(map(abs, ranges[0])) * abs(multiplier) + abs(offset)
        rounded = fast_shift(call.constants["shift"], bound, "half_up", device)

        def run(x: Tensor) -> Tensor:
            total = (x.double() * multiplier).add_(offset)
            return rounded(total).clamp_(a["low"], a["high"]).float()

        return Fast(run)

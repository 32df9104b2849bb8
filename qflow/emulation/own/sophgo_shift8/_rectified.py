"""Rectified: a relu of BM1684, which the compiler gives a multiplier and a shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.op import CLAMP, Call, Constant, Fast, Op, Range
from qflow.emulation.sophgo import shift8
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.reading import integers, source_scale
from qflow.emulation.sophgo.rescale import fast_shift, multiplier_and_shift
from qflow.emulation.sophgo.rounding import shift_right

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Rectified(Op):
    """Attributes: low, high. `sat(RSR(max(x, 0) * m, r))`: the limit of a relu6 is dropped."""

    integer = True
    fields = CLAMP
    keeps_type = False
    any_layout = True

    def lower(self, node: PreparedNode, build: Builder) -> None:
        multiplier, shift = shift8.addend(source_scale(node, 0), target_scale(node))
        output = build.output_type(node, build.operand(node, 0).shape)
        constants = {"multiplier": integers(multiplier), "shift": integers(shift)}
        attributes = {"low": 0, "high": DTYPES[output.dtype].qmax}
        build.emit(node, "relu", node.inputs, output, attributes, constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return multiplier_and_shift()

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return call.node.attributes["low"], call.node.attributes["high"]

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        multiplier, shift = (call.constants[k].astype(np.int64) for k in ("multiplier", "shift"))
        above = np.maximum(operands[0].astype(np.int64), 0)
        return np.clip(shift_right(above * multiplier, shift), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        multiplier, shift = int(call.constants["multiplier"][0]), int(call.constants["shift"][0])
        if multiplier == 1 << max(shift, 0) and shift >= 0:
            return Fast(lambda x: x.clamp(min=max(a["low"], 0), max=a["high"]))
        bound = max(map(abs, ranges[0])) * abs(multiplier)
        rounded = fast_shift(call.constants["shift"], bound, "half_up", device)

        def run(x: Tensor) -> Tensor:
            above = x.double().clamp(min=0).mul_(multiplier)
            return rounded(above).clamp_(a["low"], a["high"]).float()

        return Fast(run)

"""What average pools of TOSA share: a rule of their own, on the grid of their input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qflow.emulation.builder import same_grid
from qflow.emulation.op import Call, Constant, Fast, Op, Range
from qflow.emulation.own.tosa._reciprocal import Reciprocal
from qflow.emulation.profile import Profile

if TYPE_CHECKING:
    import numpy as np

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Averaged(Op):
    """Comes before the operator's class among the bases.

    To another grid a mean is a sum and one RESCALE, as in the general operator: AVG_POOL2D and a
    RESCALE behind it would round twice.
    """

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        if same_grid(source, build.output_type(node, source.shape)):
            build = replace(build, profile=Reciprocal(build.profile.own))
        super().lower(node, build)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return super().roles(_under(call))

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return super().oracle(_under(call), *operands)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return super().fast(_under(call), ranges, device)

    def ruled_by(self, call: Call) -> Profile:
        return _under(call).profile


def _under(call: Call) -> Call:
    if not same_grid(call.sources[0], call.node.output):
        return call
    return replace(call, profile=Reciprocal(call.profile.own))

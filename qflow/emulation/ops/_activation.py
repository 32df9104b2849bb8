"""What relu and relu6 share where nothing absorbs them: one rescale whose clamp is the function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, ROUNDED, Call, Constant, Example, Fast, Op, Range
from qflow.emulation.ops import _rescaled

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Activation(Op):
    role = "activation"
    fields = CLAMP
    any_layout = True
    within = ROUNDED
    examples = (Example(((2, 3, 4, 5),)), Example(((3, 17),)))

    def lower(self, node: PreparedNode, build: Builder) -> None:
        _rescaled.lower(node, build, build.operand(node, 0).shape, {})

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _rescaled.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _rescaled.oracle(call, call.centred(0, operands[0]))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _rescaled.fast_each(call, _rescaled.reach(call, ranges), device)

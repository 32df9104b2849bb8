"""Relu: zero and what lies above it, on the grid of the operand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Op, Range, form

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Rectified(Op):
    """No attributes, no limit above: only the threshold clamps. Becomes a relu."""

    fields = form()
    keeps_type = True
    any_layout = True

    def lower(self, node: PreparedNode, build: Builder) -> None:
        output = build.output_type(node, build.operand(node, 0).shape)
        build.emit(node, "relu", node.inputs, output)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return max(ranges[0][0], 0), max(ranges[0][1], 0)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return np.maximum(operands[0], 0).astype(np.int64)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return Fast(lambda x: x.clamp(min=0))

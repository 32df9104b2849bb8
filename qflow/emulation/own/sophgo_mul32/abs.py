"""abs: of the byte; abs(-128) is -128, as a byte has no 128."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Range, form
from qflow.emulation.ops import abs as general

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

LEAST = -128


class Abs(general.Abs):
    """No attributes. Input and output lie on one grid."""

    integer = True
    fields = form()
    keeps_type = True
    any_layout = True

    def lower(self, node: PreparedNode, build: Builder) -> None:
        output = build.output_type(node, build.operand(node, 0).shape)
        build.emit(node, "abs", node.inputs, output)

    def roles(self, call: Call) -> dict[str, Constant]:
        return {}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        low, high = ranges[0]
        return min(low, 0) if low == LEAST else 0, max(abs(max(low, LEAST + 1)), abs(high))

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        x = operands[0].astype(np.int64)
        return np.where(x == LEAST, LEAST, np.abs(x))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        def run(x: Tensor) -> Tensor:
            real = x.float()
            return torch.where(real == LEAST, real, real.abs())

        return Fast(run)

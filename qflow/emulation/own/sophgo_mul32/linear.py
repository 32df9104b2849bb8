"""linear: one scale for the weights; the chip rounds halves away from zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.ops import linear as general
from qflow.emulation.own.sophgo_mul32 import _gemm
from qflow.emulation.sophgo.weights import per_tensor

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Linear(general.Linear):
    """As the general operator, with the compiler's weights and the chip's rounding."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        weight = _gemm.check(node)
        shape = self.shape({}, [build.operand(node, 0).shape], weight.shape)
        _gemm.emit(node, build, "linear", shape, per_tensor(weight), {})

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _gemm.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return super().oracle(_gemm.away(call), *operands)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return super().fast(_gemm.away(call), ranges, device)

"""PerChannel and Away: how a convolution's weights get their scales, and how it rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Op, Range, Unsupported
from qflow.emulation.own.sophgo_mul32 import _gemm
from qflow.emulation.sophgo.weights import per_channel

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class PerChannel(Op):
    """Stands before the general class, and replaces how it is lowered."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if "padding_mode" in node.attributes:
            raise Unsupported("only zeros lie around an image on this target")
        weight = _gemm.check(node)
        shape = self.shape(node.attributes, [build.operand(node, 0).shape], weight.shape)
        weights = per_channel(weight, node.bias is not None)
        _gemm.emit(node, build, self.name, shape, weights, node.attributes)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _gemm.roles(call)


class Away(Op):
    """Stands before the general class: halves go away from zero."""

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return super().oracle(_gemm.away(call), *operands)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return super().fast(_gemm.away(call), ranges, device)

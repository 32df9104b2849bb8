"""dequantize: integers of a grid become float values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.graph import TensorType
from qflow.emulation.op import MOVED, Call, Constant, Fast, Op, Range, Unsupported

if TYPE_CHECKING:
    from torch import Tensor


class Dequantize(Op):
    """No attributes. `float32(q - zero point) * scale`, along the operand's axis if it has many."""

    name = "dequantize"
    role = "boundary"
    reads = MOVED
    writes = ("float32",)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        if call.sources[0].scale is None:
            raise Unsupported("its operand lies on no grid")
        return {}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return 0, 0  # no integers

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return call.centred(0, operands[0]).astype(np.float32) * _along_axis(call.sources[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        step = torch.from_numpy(_along_axis(call.sources[0])).to(device)

        # a float carrier may hold -0, which no integer is: adding 0 takes its sign away
        zero = float(call.zero(0))

        def run(q: Tensor) -> Tensor:
            return (q.float() - zero + 0.0) * step

        return Fast(run)


def _along_axis(source: TensorType) -> np.ndarray:
    """The scale in a shape that broadcasts against the operand."""
    if source.axis is None:
        return scale(source).reshape(())
    view = [1] * len(source.shape)
    view[source.axis] = -1
    return scale(source).reshape(view)

"""adaptive_avg_pool2d: of CV18xx; the mean of the whole image."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, Call, Fast, Range
from qflow.emulation.ops.adaptive_avg_pool2d import AdaptiveAvgPool2d as General
from qflow.emulation.own.sophgo_q31 import _pool

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

IMAGE_AXES = (2, 3)


class AdaptiveAvgPool2d(_pool.Pool, General):
    """Attributes: low, high."""

    fields = CLAMP

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0).shape
        _pool.emit(node, build, self.shape({}, [source]), prod(source[2:]), {})

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return self.average(call, operands[0].astype(np.int64).sum(IMAGE_AXES, keepdims=True))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _pool.summed(self, call, ranges, device, IMAGE_AXES, True)

"""adaptive_avg_pool2d: of BM1684; the mean of the whole image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, Call, Fast, Range
from qflow.emulation.ops.adaptive_avg_pool2d import AdaptiveAvgPool2d as General
from qflow.emulation.own.sophgo_shift8 import _mean, _pool

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class AdaptiveAvgPool2d(_pool.Pool, General):
    """Attributes: low, high."""

    fields = CLAMP

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0).shape
        _pool.emit(node, build, self.shape({}, [source]), _mean.taps(source), {})

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _mean.oracle(self, call, operands[0], True)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _mean.fast(self, call, ranges, device, True)

"""adaptive_avg_pool2d: the mean of an image by XNNPACK."""

from __future__ import annotations

from math import prod

from qflow.emulation.op import Call
from qflow.emulation.own.tflite import adaptive_avg_pool2d
from qflow.emulation.own.xnnpack._averaged import Averaged


class AdaptiveAvgPool2d(Averaged, adaptive_avg_pool2d.AdaptiveAvgPool2d):
    """As the general operator."""

    def count(self, call: Call) -> int:
        return prod(call.sources[0].shape[1:]) // prod(call.node.output.shape[1:])

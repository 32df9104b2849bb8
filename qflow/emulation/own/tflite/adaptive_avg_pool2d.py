"""adaptive_avg_pool2d: the mean of a whole image, as MEAN over its rows and columns."""

from __future__ import annotations

from qflow.emulation.ops import adaptive_avg_pool2d
from qflow.emulation.own.tflite._mean import Mean


class AdaptiveAvgPool2d(Mean, adaptive_avg_pool2d.AdaptiveAvgPool2d):
    """As the general operator."""

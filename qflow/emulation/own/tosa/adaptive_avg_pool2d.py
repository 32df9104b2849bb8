"""adaptive_avg_pool2d: AVG_POOL2D of each part."""

from __future__ import annotations

from qflow.emulation.ops import adaptive_avg_pool2d
from qflow.emulation.own.tosa._averages import Averaged


class AdaptiveAvgPool2d(Averaged, adaptive_avg_pool2d.AdaptiveAvgPool2d):
    """As the general operator."""

"""avg_pool2d: AVG_POOL2D, which divides by a reciprocal of its own."""

from __future__ import annotations

from qflow.emulation.ops import avg_pool2d
from qflow.emulation.own.tosa._averages import Averaged


class AvgPool2d(Averaged, avg_pool2d.AvgPool2d):
    """As the general operator. Windows that count their padding are those of a PAD before it."""

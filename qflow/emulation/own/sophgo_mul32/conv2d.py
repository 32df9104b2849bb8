"""conv2d: a multiplier and a shift per output channel; halves go up."""

from __future__ import annotations

from qflow.emulation.ops import conv2d as general
from qflow.emulation.own.sophgo_mul32._convolution import PerChannel


class Conv2d(PerChannel, general.Conv2d):
    """As the general operator, with the compiler's weights."""

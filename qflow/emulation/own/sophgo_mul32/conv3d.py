"""conv3d: a multiplier and a shift per output channel; halves go away from zero."""

from __future__ import annotations

from qflow.emulation.ops import conv3d as general
from qflow.emulation.own.sophgo_mul32._convolution import Away, PerChannel


class Conv3d(Away, PerChannel, general.Conv3d):
    """The device sums in one step and requantizes in a second, which rounds otherwise."""

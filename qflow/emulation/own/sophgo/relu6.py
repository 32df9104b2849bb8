"""relu6: a relu, whose limit the compiler drops."""

from __future__ import annotations

from qflow.emulation.ops import relu6 as general
from qflow.emulation.own.sophgo._relu import Rectified


class Relu6(Rectified, general.Relu6):
    """No attributes."""

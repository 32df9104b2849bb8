"""relu: on the grid of the operand."""

from __future__ import annotations

from qflow.emulation.ops import relu as general
from qflow.emulation.own.sophgo._relu import Rectified


class Relu(Rectified, general.Relu):
    """No attributes."""

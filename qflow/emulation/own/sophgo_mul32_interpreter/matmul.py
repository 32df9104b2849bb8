"""matmul: the interpreter rounds halves up."""

from __future__ import annotations

from qflow.emulation.own.sophgo_mul32 import matmul as chip


class Matmul(chip.Matmul):
    """As on the chip, but for the rounding."""

    rounding = "half_up"

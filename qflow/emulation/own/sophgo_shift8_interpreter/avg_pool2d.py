"""avg_pool2d: the interpreter's border: the mean of the valid taps stands for the padding."""

from __future__ import annotations

from qflow.emulation.own.sophgo_shift8.avg_pool2d import AvgPool2d as Chip


class AvgPool2d(Chip):
    corrects = False

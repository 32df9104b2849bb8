"""tanh: TANH; int8 from a table, int16 from a table of sigmoids."""

from __future__ import annotations

import numpy as np

from qflow.emulation.ops import tanh
from qflow.emulation.own.tflite import _sigmoid_table
from qflow.emulation.own.tflite._squashing import Squashing


class Tanh(Squashing, tanh.Tanh):
    """As the general operator."""

    grid = (2.0**-7, 0)

    def words(self, values: np.ndarray, step: float) -> np.ndarray:
        fine = _sigmoid_table.scaled(values, *_sigmoid_table.multiplier_of(step))
        return _sigmoid_table.tanh(fine)

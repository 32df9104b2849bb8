"""tanh: TANH of the optimized kernels; at int16 and scales of 2^-12 and 2^-11 in fixed point."""

from __future__ import annotations

import numpy as np

from qflow.emulation.own.tflite import _fixed_point, tanh

INTEGER_BITS, BITS = 3, 16
SHIFTS = {2.0**-12: 0, 2.0**-11: 1}
"""What brings an input to 2^-12, by its scale."""


class Tanh(tanh.Tanh):
    """As the general operator."""

    def words(self, values: np.ndarray, step: float) -> np.ndarray:
        if step not in SHIFTS:
            return super().words(values, step)
        raw = _fixed_point.raised(values, SHIFTS[step], BITS)
        return _fixed_point.tanh(raw, INTEGER_BITS, BITS)

"""sigmoid: LOGISTIC of the optimized kernels; at int16 and a scale of 2^-12 in fixed point."""

from __future__ import annotations

import numpy as np

from qflow.emulation.own.tflite import _fixed_point, sigmoid

INTEGER_BITS, BITS = 3, 16


class Sigmoid(sigmoid.Sigmoid):
    """As the general operator."""

    def words(self, values: np.ndarray, step: float) -> np.ndarray:
        if step == 2.0**-12:
            return _fixed_point.logistic(values, INTEGER_BITS, BITS)
        return super().words(values, step)

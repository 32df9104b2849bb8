"""shift: scales are powers of two, and a rescale is a shift, rounded half up."""

from __future__ import annotations

import numpy as np

from qflow.emulation.integer_profile import IntegerProfile

BITS = 1
SHIFT_LEAST, SHIFT_MOST = -31, 62
"""An int32 shifted left by 31 saturates int32 and fits int64; terms of a sum go left by 19."""


class Shift(IntegerProfile):
    """`y = (acc + 2^(shift-1)) >> shift`; a shift of 0 or below moves to the left.

    The multiplier is 1. A ratio that is no power of two is taken as the nearest one on a
    logarithmic scale: with M = f * 2^e, f in [0.5, 1), the shift is -e where f * f >= 1/2, else
    1 - e. Our choice: there is no runtime to compare with. A ratio whose shift would pass 62 is
    multiplier 0; one below -31 is a shift of -31, which saturates every value but 0.
    """

    name = "shift"
    bits = BITS
    shifts = (SHIFT_LEAST, SHIFT_MOST)

    def derive(self, ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        fraction, exponent = np.frexp(ratio)
        shift = np.where(fraction * fraction >= 0.5, -exponent, 1 - exponent).astype(np.int64)
        multiplier = np.where(shift > SHIFT_MOST, 0, 1)
        return multiplier, np.clip(shift, SHIFT_LEAST, SHIFT_MOST)

    def multiply_shift(
        self, values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        right, left = np.maximum(shift, 0), np.maximum(-shift, 0)
        half = (np.int64(1) << right) >> 1  # 0 where nothing is shifted out
        return (((values * multiplier) << left) + half) >> right

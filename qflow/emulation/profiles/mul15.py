"""mul15: a 15-bit multiplier and a shift, the last step rounded half up."""

from __future__ import annotations

import numpy as np

from qflow.emulation.integer_profile import IntegerProfile

BITS = 15
SHIFT_MOST = 62
SHIFT_LEAST = -16
"""An int32 accumulator times 2^15, shifted left by 16, still fits int64."""


class Mul15(IntegerProfile):
    """`y = (acc * multiplier + 2^(shift-1)) >> shift`, multiplier in [2^14, 2^15).

    With M = f * 2^e, f in [0.5, 1): multiplier = floor(f * 2^15 + 0.5), shift = 15 - e; a
    multiplier of 2^15 becomes 2^14 and one less shift. A shift of 0 or below moves to the left.

    Source: the one printed integer graph of the nash family, where M = 0.49298702 is (32308, 16).
    It settles the width and the form. Our choice, because it does not show them: the multiplier is
    rounded half up, the final shift rounds half up, and the range of shifts is -16 to 62. A ratio
    below that range is multiplier 0 (no int32 reaches one half of a step), one above it is the
    largest pair (every value but 0 saturates).
    """

    name = "mul15"
    bits = BITS
    shifts = (SHIFT_LEAST, SHIFT_MOST)

    def multiply_shift(
        self, values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        right, left = np.maximum(shift, 0), np.maximum(-shift, 0)
        half = (np.int64(1) << right) >> 1  # 0 where nothing is shifted out
        return (((values * multiplier) << left) + half) >> right

"""apply_scale_32 of the TOSA specification, and its constants as TFLite derives them."""

from __future__ import annotations

import numpy as np

from qflow.emulation.integer_profile import IntegerProfile

BITS = 31
SHIFT_LEAST, SHIFT_MOST = 2, 62
"""What the specification requires of a shift."""


class ApplyScale32(IntegerProfile):
    """`y = (int64(acc) * multiplier + round) >> shift`, 2 <= shift <= 62, multiplier >= 0.

    With M = f * 2^e, f in [0.5, 1): multiplier = round_half_away(f * 2^31), shift = 31 - e; a
    multiplier of 2^31 becomes 2^30 and one less shift (TFLite `QuantizeMultiplier`). As there, a
    ratio whose shift would pass 62 is multiplier 0. A ratio whose shift would be below 2 is the
    largest pair, (2^31 - 1, 2): every value but 0 saturates.
    """

    bits = BITS
    shifts = (SHIFT_LEAST, SHIFT_MOST)

    def multiply_shift(
        self, values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        rounding = np.int64(1) << (shift - 1)
        if self.double_rounding:
            towards_sign = np.where(values >= 0, 1 << (BITS - 1), -(1 << (BITS - 1)))
            rounding = rounding + np.where(shift > BITS, towards_sign, 0)
        return (values * multiplier + rounding) >> shift

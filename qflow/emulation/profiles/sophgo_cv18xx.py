"""sophgo.cv18xx: the chip model of CV181x and CV183x; a high product of 31 bits, then a shift.

    t = floor(v * m / 2^31 + 1/2), held in int32
    y = t / 2^r to the nearest, halves away from zero

Source: measured against the compiler TPU-MLIR 1.30.2 and its chip model, INT8 symmetric. Sums,
pools, joins and one-sided activations have 8-bit multipliers and one rounding in float32:
`floor(float32(v * m) / 2^r + 1/2)`, in `own/sophgo_q31`.

A compiled PRelu overwrites its operand: other readers of that tensor see PRelu(min(x, 0)), and with
that every value of theirs agrees. A defect of the vendor's, not reproduced; notes in the graph name
such nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.profile import Constants, Limits
from qflow.emulation.sophgo import search
from qflow.emulation.sophgo.profile import SophgoProfile
from qflow.emulation.sophgo.rounding import q31_rescale

if TYPE_CHECKING:
    from qflow.emulation.profile import Unary

LONGEST = 31


class SophgoCv18xx(SophgoProfile):
    name = "sophgo.cv18xx"
    own = ("sophgo_q31", "sophgo")
    family = "q31"
    bits = 31
    shifts = (-LONGEST, LONGEST)

    def derive(self, ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        multiplier, shift = search.q31(ratio)
        vanishes = shift > LONGEST
        return np.where(vanishes, 0, multiplier), np.where(vanishes, 0, shift)

    def multiply_shift(
        self, values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        return q31_rescale(values, multiplier, shift)

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        from qflow.emulation.sophgo import fast

        return fast.q31_rescale(constants["multiplier"], constants["shift"], limits, device)

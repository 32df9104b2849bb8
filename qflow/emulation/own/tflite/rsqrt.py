"""rsqrt: RSQRT, in 2^-20 and one rescale."""

from __future__ import annotations

import numpy as np

from qflow.emulation.ops import rsqrt
from qflow.emulation.own.tflite import _fixed_point
from qflow.emulation.own.tflite._bytes import Bytes
from qflow.emulation.profiles.tflite_reference import TfliteReference

FRACTION = 20
BEYOND = 1 << 16
"""More than a byte holds."""


class Rsqrt(Bytes, rsqrt.Rsqrt):
    """`y = MBQM(MBQM(1, root), s)`: root = 1 / sqrt(q - zp_x) by Newton steps, held in 2^-20, and
    s = 2^-20 / float32(sqrt(s_x) * s_y).

    MBQM as in `tflite.reference`. Source: `RsqrtEvalQuantized` of TFLite, measured. Zero gives the
    highest integer; below it LiteRT refuses to run, and the lowest stands here.
    """

    def integers(self, centred: np.ndarray, source: np.float32, target: np.float32) -> np.ndarray:
        rule, one = TfliteReference(), np.ones_like(centred)
        share = 1.0 / np.float64(np.sqrt(source) * target)
        multiplier, shift = rule.derive(np.array([share * 2.0**-FRACTION]))
        root, exponent = _fixed_point.inverse_root(np.maximum(centred, 1))
        fine = rule.multiply_shift(one, root, 31 - FRACTION + exponent)
        found = rule.multiply_shift(fine, multiplier, shift)
        return np.where(centred > 0, found, np.where(centred == 0, BEYOND, -BEYOND))

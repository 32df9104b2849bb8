"""rsqrt: RSQRT, in 2^-20 and one rescale."""

from __future__ import annotations

import numpy as np

from qflow.emulation.ops import rsqrt
from qflow.emulation.own.tflite._bytes import Bytes
from qflow.emulation.profiles.tflite_reference import TfliteReference

FRACTION = 20
HIGHEST = 127


class Rsqrt(Bytes, rsqrt.Rsqrt):
    """`y = MBQM(round(2^20 / sqrt(q - zp_x)))`, by 2^-20 / float32(sqrt(s_x) * s_y).

    MBQM as in `tflite.reference`. Source: `RsqrtEvalQuantized` of TFLite, measured; its root, found
    by Newton steps, is the exact one rounded for every byte. Zero gives the highest integer; below
    it LiteRT refuses to run, and the lowest stands here.
    """

    def integers(self, centred: np.ndarray, source: np.float32, target: np.float32) -> np.ndarray:
        rule = TfliteReference()
        share = 1.0 / np.float64(np.sqrt(source) * target)
        multiplier, shift = rule.derive(np.array([share * 2.0**-FRACTION]))
        root = np.rint(2.0**FRACTION / np.sqrt(np.maximum(centred, 1))).astype(np.int64)
        found = rule.multiply_shift(root, multiplier, shift)
        beyond = np.where(centred == 0, 1 << 16, -(1 << 16))
        return np.where(centred > 0, found, beyond)

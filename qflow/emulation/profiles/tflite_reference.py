"""tflite.reference: the reference kernels of TFLite and LiteRT, rounded twice."""

from __future__ import annotations

import numpy as np

from qflow.emulation.profiles._high_multiply import HighMultiply


class TfliteReference(HighMultiply):
    """The second rounding, `RoundingDivideByPOT`, is half away from zero.

    Source: `MultiplyByQuantizedMultiplier` of TFLite in its default build, gemmlowp's fixed point;
    measured on the reference resolver of LiteRT. Of int16 operands and of single operators there
    are rules of their own in `own/tflite_reference` and `own/tflite`.

    In one fraction: round = 2^(shift-1), and above a shift of 31 also +2^30 for acc >= 0 and -2^30
    below. With v = acc * multiplier below 0 and n = shift - 31, half away from zero of
    high = floor((v + 2^30) / 2^31) is floor((high + 2^(n-1) - 1) / 2^n), and that is
    floor((v - 2^30 + 2^(30+n)) / 2^(31+n)).
    """

    name = "tflite.reference"
    own = ("tflite_reference", "tflite")
    double_rounding = True

    def shifted(self, high: np.ndarray, right: np.ndarray) -> np.ndarray:
        mask = (np.int64(1) << right) - 1
        threshold = (mask >> 1) + (high < 0)
        return (high >> right) + ((high & mask) > threshold)

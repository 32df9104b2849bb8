"""hard_swish: HARD_SWISH, in 16-bit fixed point."""

from __future__ import annotations

import numpy as np

from qflow.emulation.ops import hard_swish
from qflow.emulation.own.tflite import _fixed_point
from qflow.emulation.own.tflite._bytes import Bytes
from qflow.emulation.own.tflite._rules import DROPPED
from qflow.emulation.profiles._high_multiply import BITS
from qflow.emulation.profiles.tflite_reference import TfliteReference

WIDTH, FINER = 16, 7
"""Bits of a word, and bits by which the input is raised in it."""
REACH = np.float32(3.0) / np.float32(32768.0)
"""Scale on which 3 is 2^15."""


class HardSwish(Bytes, hard_swish.HardSwish):
    """With x = (q - zp_x) << 7: y = x * s_x / s_y / 2^7 times (1 + sat(x * s_x / 3 / 2^7)) / 2.

    Both ratios are 16-bit multipliers with exponents of their own; the product of both factors is
    cut off, the last shift rounds half away from zero. Source: `HardSwish` of TFLite's reference
    kernels, measured under every resolver of LiteRT.
    """

    def integers(self, centred: np.ndarray, source: np.float32, target: np.float32) -> np.ndarray:
        fine = np.float32(1.0 / (1 << FINER)) * source
        multiplier, exponent = _multiplier(np.float64(fine / target))
        gate_multiplier, gate_exponent = _multiplier(np.float64(fine / REACH))
        x = centred << FINER
        value = _fixed_point.times(x, multiplier, WIDTH)
        gate = x
        if gate_exponent > 0:
            gate = _fixed_point.raised(gate, gate_exponent - 1, WIDTH)
        gate = _fixed_point.times(gate, gate_multiplier, WIDTH)
        if gate_exponent > 0:
            gate = _fixed_point.raised(gate, 1, WIDTH)
        if gate_exponent < 0:
            gate = _fixed_point.divided(gate, -gate_exponent)
        gate = (gate + (1 << (WIDTH - 1))) >> 1
        product = value * gate
        cut = np.sign(product) * (np.abs(product) >> (WIDTH - 1))
        return _fixed_point.divided(cut, max(-exponent, 0))


def _multiplier(ratio: np.float64) -> tuple[int, int]:
    """The 16-bit multiplier of a ratio and its exponent."""
    multiplier, shift = TfliteReference().derive(np.array([ratio]))
    reduced = min((int(multiplier[0]) + (1 << (DROPPED - 1))) >> DROPPED, (1 << (WIDTH - 1)) - 1)
    return reduced, BITS - int(shift[0])

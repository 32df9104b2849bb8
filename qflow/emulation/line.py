"""line: a multiply and shift as a product and a sum in float64, where that is exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from qflow.emulation.profile import Limits

EXACT_FLOAT64 = 1 << 53
"""float64 holds every integer up to here."""
DOUBLE_ROUNDING = 30
DOUBLE_ROUNDING_ABOVE = 31


@dataclass(frozen=True)
class Line:
    """`floor(value factor + copysign(second, value) + 1/2)`, per channel or of all."""

    factor: np.ndarray
    """float64"""
    second: np.ndarray
    """float64 in the same shape: what TOSA's double rounding adds. Empty where nothing is."""

    def of(self, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """Factor and second written out for so many channels, flat."""

        def spread(constant: np.ndarray) -> np.ndarray:
            flat = constant.reshape(-1)
            return np.ascontiguousarray(np.broadcast_to(flat, channels)) if flat.size else flat

        return spread(self.factor), spread(self.second)


def line(multiplier: np.ndarray, shift: np.ndarray, limits: Limits, double: bool) -> Line | None:
    """That of `clamp((value * multiplier + rounding) >> shift)`, half up; `double` as TOSA's double
    rounding. None where it may be inexact."""
    if not exact_in_float64(multiplier, shift, limits):
        return None
    factor = np.ldexp(multiplier.astype(np.float64), -shift.astype(np.int64))
    again = np.broadcast_to(double & (shift > DOUBLE_ROUNDING_ABOVE), factor.shape)
    second = np.where(again, np.ldexp(1.0, DOUBLE_ROUNDING - shift.astype(np.int64)), 0.0)
    return Line(factor, second if again.any() else np.zeros(0))


def exact_in_float64(multiplier: np.ndarray, shift: np.ndarray, limits: Limits) -> bool:
    """Whether `floor(value * multiplier * 2^-shift + rounding)`, clamped, is exact in float64.

    Measured in units of the lowest bit, 2^-shift, the product plus its rounding is an integer:
    exact below 2^53. A larger one may be rounded, but rounding is monotonic, so it stays outside
    of the clamp as long as 2^53 units are more than the clamp and the rounding together.
    """
    largest = max(abs(limits.low), abs(limits.high)) + 2
    multipliers, shifts = (a.ravel().tolist() for a in np.broadcast_arrays(multiplier, shift))
    for m, s in zip(multipliers, shifts, strict=True):
        fraction_bits = max(s, 1)
        product = limits.bound * abs(m) << (fraction_bits - s)
        if product + (1 << fraction_bits) >= EXACT_FLOAT64 and (
            EXACT_FLOAT64 >> fraction_bits < largest
        ):
            return False
    return True

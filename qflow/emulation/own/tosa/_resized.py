"""Where RESIZE takes the values of a resized axis: steps of 1 / n pixels, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd

import numpy as np

MOST = 1 << 11
"""Largest n; with it and 8 bits a sum over two axes is an int32."""
FAR = 16
"""RESIZE takes steps, offsets and borders of less than so many pixels."""
CLOSE = 1e-12
"""How far the inverse of a factor may be from a fraction that stands for it."""


@dataclass(frozen=True)
class Axis:
    """Place i of the output lies (i * step + offset) / parts pixels along the axis."""

    parts: int
    step: int
    offset: int
    border: int

    @property
    def fits(self) -> bool:
        """Whether RESIZE can have it."""
        n = self.parts
        steps = n <= MOST and 0 < self.step < FAR * n
        return steps and -n <= self.offset < FAR * n and -FAR * n <= self.border < n

    def places(self, size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """int32 [count]: the pixel before each place, and how many n-ths it lies behind it."""
        at = np.arange(count, dtype=np.int64) * self.step + self.offset
        before, rest = at // self.parts, at % self.parts
        outside = (before < 0) | (before >= size - 1)
        pixel = np.clip(before, 0, size - 1)
        return pixel.astype(np.int32), np.where(outside, 0, rest).astype(np.int32)


def axis(size: int, count: int, factor: float | None, aligned: bool) -> Axis | None:
    """The axis of `size` with `count` places; None where RESIZE cannot have it.

    With N / D the enlargement in lowest terms n = 2 N and the step is 2 D, as converters to TOSA
    write it. Aligned corners begin at 0, others (step - n) / 2 before it.
    """
    enlarged, reduced = count, size
    if factor is not None:
        inverse = Fraction(1 / factor).limit_denominator(MOST)
        if not inverse or abs(float(inverse) * factor - 1) > CLOSE:
            return None
        enlarged, reduced = inverse.denominator, inverse.numerator
    if aligned:
        enlarged, reduced = (count - 1, size - 1) if count > 1 else (1, 1)
    if size == 1:
        made = Axis(count, 1, 0, count - 1)
        return made if made.fits else None
    shared = gcd(enlarged, reduced)
    n, step = 2 * enlarged // shared, 2 * reduced // shared
    offset = 0 if aligned else (step - n) // 2
    made = Axis(n, step, offset, step * (count - 1) - n * (size - 1) + offset)
    return made if made.fits else None

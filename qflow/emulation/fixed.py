"""Real factors in fixed point: a multiplier of 31 bits and a shift, for rules of no profile."""

from __future__ import annotations

import math

BITS = 31
"""Width of a multiplier, as TOSA and TFLite have it."""


def fixed_point(value: float, least: int, most: int) -> tuple[int, int]:
    """Multiplier and shift with `value` close to multiplier * 2^-shift, `least` <= shift <= `most`.

    value = f * 2^e with f in [0.5, 1): multiplier = round(f * 2^31), shift = 31 - e. A shift above
    `most` costs bits of the multiplier; one below `least` gives the largest multiplier.
    """
    assert value > 0, "only factors above 0 are held so"
    fraction, exponent = math.frexp(value)
    shift = BITS - exponent
    if shift < least:
        return (1 << BITS) - 1, least
    if shift > most:
        return min(_rounded(math.ldexp(value, most)), (1 << BITS) - 1), most
    multiplier = _rounded(math.ldexp(fraction, BITS))
    if multiplier < 1 << BITS:
        return multiplier, shift
    return (1 << (BITS - 1), shift - 1) if shift > least else ((1 << BITS) - 1, least)


def _rounded(value: float) -> int:
    """Half up; the factors are positive."""
    return math.floor(value + 0.5)

"""Multipliers and shifts: the five ways the Sophgo compilers derive them from a scale.

Each takes scales of any shape and returns (multiplier, shift), int64 arrays of that shape.
"""

from __future__ import annotations

import numpy as np

from qflow.emulation.sophgo.rounding import round_away

INT8_TOP, INT32_TOP = 127, (1 << 31) - 1
SHIFTS = (-32, 30)
"""Shifts the search tries, in this order."""
LARGEST_SHIFT = 31
"""Of BM1684."""
Pair = tuple[np.ndarray, np.ndarray]
"""Multiplier and shift."""


def search32(scale: np.ndarray | float) -> Pair:
    """(m, r) with m / 2^r nearest to the scale, |m| below 2^31 - 1; r from -32 to 30."""
    return _search(scale, INT32_TOP, *SHIFTS)


def search8(scale: np.ndarray | float, positive: bool = False, most: int = SHIFTS[1]) -> Pair:
    """The same with |m| <= 126; `positive` tries only shifts to the right, up to `most`."""
    return _search(scale, INT8_TOP, 0 if positive else SHIFTS[0], most)


def _search(scale: np.ndarray | float, limit: int, first: int, last: int) -> Pair:
    """The first shift with the least error, errors compared in float32 as the vendor does."""
    # a search in float64 finds other multipliers
    wanted = np.asarray(scale, np.float32).astype(np.float64)
    least = np.full(wanted.shape, np.inf, np.float32)
    multiplier = np.zeros(wanted.shape, np.int64)
    shift = np.zeros(wanted.shape, np.int64)
    for places in range(first, last + 1):
        candidate = round_away(np.ldexp(wanted, places))
        with np.errstate(over="ignore"):
            error = np.abs(np.ldexp(candidate, -places) - wanted).astype(np.float32)
        better = (error < least) & (np.abs(candidate) < limit)
        least = np.where(better, error, least)
        multiplier = np.where(better, candidate, multiplier).astype(np.int64)
        shift = np.where(better, places, shift)
    return multiplier, shift


def floor_log_shift(factor: np.ndarray | float) -> np.ndarray:
    """BM1684: floor(log2(127 / factor)) within 0..31, int64; factor is |c| * Sx / Sy, above 0."""
    with np.errstate(divide="ignore"):
        exponent = np.log(INT8_TOP / np.asarray(factor, np.float64)) / np.log(2.0)
    return np.clip(np.floor(exponent), 0, LARGEST_SHIFT).astype(np.int64)


def doubling_shift(factor: float) -> int:
    """BM1684: the largest r with factor * 2^r < 127; factor is the largest weight * Sx / Sy.

    Below 0 where the factor itself is too large; 31 where it never reaches 127.
    """
    if factor <= 0:
        return LARGEST_SHIFT
    shift = 0
    while factor * 2.0**shift >= INT8_TOP:
        shift -= 1
    while shift < LARGEST_SHIFT and factor * 2.0 ** (shift + 1) < INT8_TOP:
        shift += 1
    return shift


def trunc8(scale: np.ndarray | float) -> Pair:
    """CV18xx: the smallest r with f * 2^(r+1) >= 127, and m = trunc(f * 2^r); f above 0."""
    wanted = np.asarray(scale, np.float64)
    shift = np.full(wanted.shape, LARGEST_SHIFT, np.int64)
    for places in range(LARGEST_SHIFT, -1, -1):
        shift = np.where(np.ldexp(wanted, places + 1) >= INT8_TOP, places, shift)
    return np.trunc(np.ldexp(wanted, shift)).astype(np.int64), shift


def q31(scale: np.ndarray | float) -> Pair:
    """CV18xx: f = q * 2^e with q in [0.5, 1): m = round(q * 2^31), r = -e."""
    fraction, exponent = np.frexp(np.asarray(scale, np.float64))
    multiplier = round_away(np.ldexp(fraction, 31))
    carried = multiplier == 2.0**31
    multiplier = np.where(carried, 2.0**30, multiplier)
    return multiplier.astype(np.int64), -(exponent.astype(np.int64) + carried)

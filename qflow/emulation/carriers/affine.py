"""affine: a rescale as one float32 product and sum, rounded half to even, where that is proved.

What vector units do in one instruction each, and what the int8 kernels of oneDNN compute behind
their sums: `half_even(float32(acc) * scale + offset)`. Scale and offset are searched near the exact
ratio until every level of the exact rule is met. Both ways to evaluate the formula must meet them,
rounded after each step and rounded once, so it does not matter which one a kernel was compiled to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qflow.emulation.carriers.levels import Levels

STEPS = range(-12, 13)
"""Scales to try, in last places from the nearest one."""
NUDGES = range(-4, 5)
"""Offsets to try, in units of `NUDGE` from the one in the middle of what is possible."""
NUDGE = 1.5e-6
"""About a fifth of the last place of a float32 near 100: what rounding errors are made of."""
CANDIDATES = sorted(((s, n) for s in STEPS for n in NUDGES), key=lambda p: abs(p[0]) + abs(p[1]))
PATIENCE = 25
"""Candidates after which a layer of which half is not proved is given up."""


@dataclass(frozen=True)
class Affine:
    """Constants per channel, and the channels they are proved for."""

    scale: np.ndarray
    """float32 [channels]"""
    offset: np.ndarray
    """float32 [channels]"""
    proved: np.ndarray
    """bool [channels]"""


def affine(levels: Levels, bias: np.ndarray, tries: int = len(CANDIDATES)) -> Affine:
    """The formula for accumulators that leave out `bias`, int64 [channels]; after so many
    candidates the search ends."""
    count = len(levels.low)
    scale, offset = np.zeros(count, np.float32), np.zeros(count, np.float32)
    proved = np.zeros(count, bool)
    if not levels.numbers.size:  # a clamp to one value has no levels to meet
        return Affine(scale, offset, proved)
    rises = levels.slope >= 0  # a negative multiplier, which only some targets have, makes it fall
    for tried_before, (step, nudge) in enumerate(CANDIDATES[:tries]):
        left = np.flatnonzero(rises & ~proved)
        if not left.size or (tried_before == PATIENCE and len(left) > count / 2):
            break
        some, without = levels.only(left), bias[left][:, None]
        nearest = some.slope.astype(np.float32)
        tried = (nearest + step * np.spacing(nearest)).astype(np.float32)
        given = (_middle(some, tried, without) + nudge * NUDGE).astype(np.float32)
        fits = _fits(some, without, tried, given)
        found = left[fits]
        scale[found], offset[found], proved[found] = tried[fits], given[fits], True
    return Affine(scale, offset, proved)


def _fits(levels: Levels, bias: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """bool [channels]: whether both ways to evaluate the formula meet every level."""
    fits = levels.holds(lambda acc: np.rint(separate(acc - bias, scale, offset)))
    some = np.flatnonzero(fits)
    few, left, scales, offsets = levels.only(some), bias[some], scale[some], offset[some]
    fits[some] = few.holds(lambda acc: np.rint(fused(acc - left, scales, offsets)))
    return fits


def separate(acc: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Rounded after the product and after the sum; acc [channels, n]."""
    product = (acc.astype(np.float32) * scale[:, None]).astype(np.float32)
    return (product + offset[:, None]).astype(np.float32)


def fused(acc: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Rounded once, as a fused multiply-add does; acc [channels, n].

    The product of two float32 is exact in float64. The sum is rounded to odd there, by what an
    exact two-sum says it lost, and a value so rounded can be rounded again without harm.
    """
    product = acc.astype(np.float32).astype(np.float64) * scale[:, None].astype(np.float64)
    addend = np.broadcast_to(offset[:, None].astype(np.float64), product.shape)
    total = product + addend
    back = total - product
    lost = (product - (total - back)) + (addend - back)
    bits = total.view(np.int64)
    outwards = np.where((lost > 0) == (total > 0), 1, -1)
    odd = np.where((lost != 0) & (bits & 1 == 0), bits + outwards, bits)
    return odd.view(np.float64).astype(np.float32)


def _middle(levels: Levels, scale: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The offset farthest from missing a level, in exact arithmetic: float64 [channels]."""
    wide = scale[:, None].astype(np.float64)
    tie = levels.numbers - 0.5
    least = np.where(levels.first > levels.high, -np.inf, tie - wide * (levels.first - bias))
    most = np.where(levels.first <= levels.low, np.inf, tie - wide * (levels.first - 1 - bias))
    above, below = least.max(1), most.min(1)
    # a side without a level to miss leaves all room to the other
    both = np.isfinite(above) & np.isfinite(below)
    one = np.where(np.isfinite(below), below - 0.5, np.where(np.isfinite(above), above + 0.5, 0.0))
    return np.where(both, (above + below) / 2, one)

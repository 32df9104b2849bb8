"""layer_norm: rows of bytes to mean 0 and variance 1, scaled and moved, by `ops._norm`'s rule.

Statistics are int64; values are float64, where every product is exact (see `Normalization.fast`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numba import njit

from qflow.loops.frame import (
    Loop,
    bytes_at,
    float64_at,
    integer_at,
    share,
    sign_of,
    value_of,
)

if TYPE_CHECKING:
    from torch import Tensor


BLOCK = 1 << 15
"""Values whose squares, below 2^16 each, add up below 2^31."""


@dataclass(frozen=True)
class Constants:
    """Of one normalization."""

    gain: np.ndarray
    """float64 [width]: the output per normalized value."""
    start: np.ndarray
    """float64 [width], zero point included."""
    eps: int
    spread_shift: int
    low: int
    high: int
    dtype: torch.dtype
    """int8 or uint8, of the output."""
    fraction: int
    """Bits below 1 of a normalized value."""
    width: int
    """Bits below which a number must lie whose root is taken."""
    dividend: int
    """Bits of what is divided by the root."""
    longest: int
    """Greatest shift to the right."""


@njit
def _spread(squares, rest, count, shift):
    if shift <= 0:
        return (count * squares - rest * rest) << -shift
    mask = (np.int64(1) << shift) - 1
    product = count * (squares >> shift) + ((count * (squares & mask)) >> shift)
    return product - ((rest * rest) >> shift)


@njit
def _reciprocal_root(number, width, dividend):
    half = np.int64(0)
    while number < np.int64(1) << (width - 2):
        number <<= 2
        half += 1
    root = np.int64(np.floor(np.sqrt(np.float64(number))))
    # a float64 root is at most one off
    if root * root > number:
        root -= 1
    if (root + 1) * (root + 1) <= number:
        root += 1
    return (np.int64(1) << dividend) // root, dividend - half


@njit
def _sums(x, sign):
    """Of values and of their squares, which fit int32 in a block."""
    total, squares = np.int32(0), np.int32(0)
    for i in range(x.size):
        value = value_of(x[i], sign)
        total = np.int32(total + value)
        squares = np.int32(squares + np.int32(value * value))
    return np.int64(total), np.int64(squares)


@njit
def _line(x, sign, eps, spread_shift, fraction, width, dividend, longest):
    """What the values of a row are multiplied by, and what is then taken away."""
    count = np.int64(x.size)
    total, squares = np.int64(0), np.int64(0)
    for start in range(0, x.size, BLOCK):
        some = x[start : start + BLOCK]
        sums = _sums(some, sign)
        total, squares = total + sums[0], squares + sums[1]
    mean = total // count
    rest = total - mean * count
    squares -= mean * (2 * total - mean * count)
    number = max(_spread(squares, rest, count, spread_shift) + eps, np.int64(1))
    factor, exponent = _reciprocal_root(number, width, dividend)
    right = min(max(exponent + (spread_shift // 2 - fraction), 1), longest)
    unit = factor * 2.0**-right
    return unit * count, unit * total - 0.5


@njit
def _row(x, sign, slope, middle, gain, start, low, high, out):
    for i in range(x.size):
        normal = np.floor(np.float64(value_of(x[i], sign)) * slope - middle)
        y = np.floor(normal * gain[i] + start[i])
        out[i] = np.uint8(np.int32(min(max(y, low), high)))


@Loop
def _layer_norm(frame):
    x, sign, out = bytes_at(frame, 0), np.uint8(integer_at(frame, 1)), bytes_at(frame, 2)
    gain, start = float64_at(frame, 3), float64_at(frame, 4)
    eps, spread_shift = integer_at(frame, 5), integer_at(frame, 6)
    low, high = np.float64(integer_at(frame, 7)), np.float64(integer_at(frame, 8))
    fraction, width = integer_at(frame, 9), integer_at(frame, 10)
    dividend, longest = integer_at(frame, 11), integer_at(frame, 12)
    size = gain.size
    first, last = share(out.size // size)
    for row in range(first, last):
        some = x[row * size : (row + 1) * size]
        slope, middle = _line(some, sign, eps, spread_shift, fraction, width, dividend, longest)
        here = out[row * size : (row + 1) * size]
        _row(some, sign, slope, middle, gain, start, low, high, here)


def layer_norm(x: Tensor, of: Constants) -> Tensor:
    """Of int8 or uint8 [..., width], each row along the last axis."""
    x = x.contiguous()
    out = torch.empty(x.shape, dtype=of.dtype)
    _layer_norm(
        x.numel(), x, sign_of(x.dtype), out, of.gain, of.start, of.eps, of.spread_shift,
        of.low, of.high, of.fraction, of.width, of.dividend, of.longest,
    )  # fmt: skip
    return out

"""layer_norm: rows of bytes to mean 0 and variance 1, scaled and moved, by `ops._norm`'s rule.

Statistics are int64; values are float64, where every product is exact (see `Normalization.fast`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numba import njit

from qflow.emulation.ops._affine import FRACTION
from qflow.emulation.ops._norm import LONGEST_SHIFT
from qflow.emulation.ops._roots import DIVIDEND, STEPS, WIDTH
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


@njit
def _spread(squares, rest, count, shift):
    if shift <= 0:
        return (count * squares - rest * rest) << -shift
    mask = (np.int64(1) << shift) - 1
    product = count * (squares >> shift) + ((count * (squares & mask)) >> shift)
    return product - ((rest * rest) >> shift)


@njit
def _reciprocal_root(number):
    half = 0
    for step in STEPS:
        if number < np.int64(1) << (WIDTH - step):
            number <<= step
            half += step // 2
    root = np.int64(np.floor(np.sqrt(np.float64(number))))
    if root * root > number:
        root -= 1
    if (root + 1) * (root + 1) <= number:
        root += 1
    return (np.int64(1) << DIVIDEND) // root, DIVIDEND - half


@njit
def _row(x, sign, gain, start, eps, spread_shift, low, high, out):
    count = np.int64(x.size)
    total = np.int64(0)
    squares = np.int64(0)
    for i in range(x.size):
        value = np.int64(value_of(x[i], sign))
        total += value
        squares += value * value
    mean = total // count
    rest = total - mean * count
    squares -= mean * (2 * total - mean * count)
    number = max(_spread(squares, rest, count, spread_shift) + eps, np.int64(1))
    factor, exponent = _reciprocal_root(number)
    right = min(max(exponent + (spread_shift // 2 - FRACTION), 1), LONGEST_SHIFT)
    unit = factor * 2.0**-right
    slope, middle = unit * count, unit * total - 0.5
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
    width = gain.size
    first, last = share(out.size // width)
    for row in range(first, last):
        some = slice(row * width, (row + 1) * width)
        _row(x[some], sign, gain, start, eps, spread_shift, low, high, out[some])


def layer_norm(x: Tensor, of: Constants) -> Tensor:
    """Of int8 or uint8 [..., width], each row along the last axis."""
    x = x.contiguous()
    out = torch.empty(x.shape, dtype=of.dtype)
    _layer_norm(
        x, sign_of(x.dtype), out, of.gain, of.start, of.eps, of.spread_shift, of.low, of.high
    )
    return out

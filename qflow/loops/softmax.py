"""softmax: rows of bytes to their shares, by the rule of `ops.softmax` in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numba import njit

from qflow.loops.frame import Loop, bytes_at, int32_at, integer_at, share, sign_of

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Constants:
    """Of one softmax."""

    exponents: np.ndarray
    """int32 [256]: of each distance to the largest of a row, a whole number."""
    unit: int
    shift: int
    low: int
    high: int
    """Without the zero point."""
    zero: int
    dtype: torch.dtype
    """int8 or uint8, of the output."""


@njit
def _row(x, sign, exponents, unit, scale, low, high, zero, found, out):
    top = np.uint8(0)
    for i in range(x.size):
        top = np.uint8(max(top, np.uint8(x[i] ^ sign)))
    for i in range(x.size):
        found[i] = exponents[np.uint8(top - np.uint8(x[i] ^ sign))]
    total = np.int64(0)
    for i in range(x.size):
        total += found[i]
    divisor = np.float64(max(total, 1)) * scale
    half = divisor * 0.5
    for i in range(x.size):
        part = np.floor((np.float64(found[i]) * unit + half) / divisor)
        out[i] = np.uint8(np.int32(np.int32(min(max(part, low), high)) + zero))


@Loop
def _softmax(frame):
    x, sign, out = bytes_at(frame, 0), np.uint8(integer_at(frame, 1)), bytes_at(frame, 2)
    exponents, width = int32_at(frame, 3), integer_at(frame, 4)
    unit, scale = np.float64(integer_at(frame, 5)), np.float64(np.int64(1) << integer_at(frame, 6))
    low, high = np.float64(integer_at(frame, 7)), np.float64(integer_at(frame, 8))
    zero = np.int32(integer_at(frame, 9))
    found = np.empty(width, np.int32)
    first, last = share(out.size // width)
    for row in range(first, last):
        some = slice(row * width, (row + 1) * width)
        _row(x[some], sign, exponents, unit, scale, low, high, zero, found, out[some])


def softmax(x: Tensor, of: Constants) -> Tensor:
    """Of int8 or uint8 [..., width], each row along the last axis."""
    x = x.contiguous()
    out = torch.empty(x.shape, dtype=of.dtype)
    _softmax(
        x.numel(), x, sign_of(x.dtype), out, of.exponents, x.shape[-1],
        of.unit, of.shift, of.low, of.high, of.zero,
    )  # fmt: skip
    return out

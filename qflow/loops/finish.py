"""finish: accumulators to bytes by multiply and shift, with a residual in between or without.

A rescale is a pair of float64 arrays, `factor` and `second`, per channel or of one value:
`floor(v factor + copysign(second, v) + 1/2)`, where an empty `second` adds nothing.
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
    float32_at,
    float64_at,
    integer_at,
    share,
    sign_of,
    value_of,
)

if TYPE_CHECKING:
    from torch import Tensor

Rescale = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Grid:
    """Where outputs lie."""

    low: int
    high: int
    """Without the zero point."""
    zero: int
    dtype: torch.dtype
    """int8 or uint8."""


@njit(inline="always")
def _twice(product, second):
    return np.floor(product + (second if product >= 0 else -second) + 0.5)


@njit(inline="always")
def _byte(value, low, high, zero):
    return np.uint8(np.int32(np.int32(min(max(value, low), high)) + zero))


@njit
def _row(acc, factor, second, low, high, zero, out):
    if second.size == 0:  # most rules round once; a loop of their own is twice as fast
        for i in range(out.size):
            out[i] = _byte(np.floor(acc[i] * factor[i] + 0.5), low, high, zero)
        return
    for i in range(out.size):
        out[i] = _byte(_twice(acc[i] * factor[i], second[i]), low, high, zero)


@njit
def _row_of_one(acc, factor, second, low, high, zero, out):
    if second == 0:
        for i in range(out.size):
            out[i] = _byte(np.floor(acc[i] * factor + 0.5), low, high, zero)
        return
    for i in range(out.size):
        out[i] = _byte(_twice(acc[i] * factor, second), low, high, zero)


@njit
def _joined_row(acc, residual, sign, bring, also, top, factor, second, low, high, zero, out):
    if second.size == 0 and also.size == 0:
        for i in range(out.size):
            total = acc[i] + np.floor(np.float64(value_of(residual[i], sign)) * bring[i] + 0.5)
            total = min(max(total, -top - 1.0), top)
            out[i] = _byte(np.floor(total * factor[i] + 0.5), low, high, zero)
        return
    for i in range(out.size):
        other = also[i] if also.size else 0.0
        total = acc[i] + _twice(np.float64(value_of(residual[i], sign)) * bring[i], other)
        total = min(max(total, -top - 1.0), top)
        other = second[i] if second.size else 0.0
        out[i] = _byte(_twice(total * factor[i], other), low, high, zero)


@Loop
def _finish(frame):
    acc, out = float32_at(frame, 0), bytes_at(frame, 1)
    factor, second = float64_at(frame, 2), float64_at(frame, 3)
    low, high = np.float64(integer_at(frame, 4)), np.float64(integer_at(frame, 5))
    zero, channels = np.int32(integer_at(frame, 6)), factor.size
    if channels == 1:
        first, last = share(out.size)
        some = slice(first, last)
        also = second[0] if second.size else 0.0
        _row_of_one(acc[some], factor[0], also, low, high, zero, out[some])
        return
    first, last = share(out.size // channels)
    for row in range(first, last):
        some = slice(row * channels, (row + 1) * channels)
        _row(acc[some], factor, second, low, high, zero, out[some])


@Loop
def _join(frame):
    acc, out = float32_at(frame, 0), bytes_at(frame, 1)
    factor, second = float64_at(frame, 2), float64_at(frame, 3)
    low, high = np.float64(integer_at(frame, 4)), np.float64(integer_at(frame, 5))
    zero, channels = np.int32(integer_at(frame, 6)), factor.size
    residual, sign = bytes_at(frame, 7), np.uint8(integer_at(frame, 8))
    bring, also = float64_at(frame, 9), float64_at(frame, 10)
    top = np.float64(integer_at(frame, 11))
    first, last = share(out.size // channels)
    for row in range(first, last):
        some = slice(row * channels, (row + 1) * channels)
        _joined_row(
            acc[some], residual[some], sign, bring, also, top,
            factor, second, low, high, zero, out[some],
        )  # fmt: skip


def finish(acc: Tensor, rescale: Rescale, grid: Grid) -> Tensor:
    """`clamp(rescale(acc)) + zero` of float32 integers, in the dtype of the grid.

    acc: dense in memory, its channels last there where the rescale has one per channel.
    """
    out = torch.empty_like(acc, dtype=grid.dtype)
    _finish(acc.numel(), acc, out, *rescale, grid.low, grid.high, grid.zero)
    return out


def join(
    acc: Tensor, residual: Tensor, bring: Rescale, top: int, rescale: Rescale, grid: Grid
) -> Tensor:
    """As `finish` of `clamp(acc + bring(residual), -top - 1, top)`.

    residual: int8 or uint8, laid out in memory as acc is. Both rescales have one per channel.
    """
    out = torch.empty_like(acc, dtype=grid.dtype)
    sign = sign_of(residual.dtype)
    limits = (grid.low, grid.high, grid.zero)
    _join(acc.numel(), acc, out, *rescale, *limits, residual, sign, *bring, top)
    return out

"""table: bytes for bytes, or for two bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numba import njit

from qflow.loops.frame import Loop, bytes_at, share

if TYPE_CHECKING:
    from torch import Tensor


@njit
def _read(x, entries, out):
    for i in range(out.size):
        out[i] = entries[x[i]]


@njit
def _read_two(x, y, entries, out):
    for i in range(out.size):
        out[i] = entries[np.uint16(x[i]) << 8 | np.uint16(y[i])]


@Loop
def _of_one(frame):
    x, out, entries = bytes_at(frame, 0), bytes_at(frame, 1), bytes_at(frame, 2)
    first, last = share(out.size)
    _read(x[first:last], entries, out[first:last])


@Loop
def _of_two(frame):
    x, y, out, entries = (
        bytes_at(frame, 0), bytes_at(frame, 1), bytes_at(frame, 2), bytes_at(frame, 3)
    )  # fmt: skip
    first, last = share(out.size)
    _read_two(x[first:last], y[first:last], entries, out[first:last])


def look_up(entries: Tensor, x: Tensor, y: Tensor | None = None) -> Tensor:
    """`entries` of 8 bits for each byte of x, [256], or of x and y, [65536]; all contiguous."""
    out = torch.empty(x.shape, dtype=entries.dtype)
    if y is None:
        _of_one(x.numel(), x, out, entries)
    else:
        _of_two(x.numel(), x, y, out, entries)
    return out

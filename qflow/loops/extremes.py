"""extremes: the lowest and highest value of each row, in one pass.

Floats are compared as integers that have their order, with NaN beyond the infinities: minima of
floats, which must look for NaN, are not computed several at once.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from qflow.loops.frame import Loop, int32_at, share

MAGNITUDE = 0x7FFFFFFF
"""The bits of a float32 without its sign."""
INFINITY = 0x7F800000


@njit
def _row(bits):
    low, high = np.int32(MAGNITUDE), np.int32(-MAGNITUDE - 1)
    for i in range(bits.size):
        key = bits[i] ^ ((bits[i] >> 31) & np.int32(MAGNITUDE))
        low, high = min(low, key), max(high, key)
    return low, high


@Loop
def _extremes(frame):
    bits, keys = int32_at(frame, 0), int32_at(frame, 1)
    rows = keys.size // 2
    width = bits.size // rows
    first, last = share(rows)
    for row in range(first, last):
        keys[row], keys[rows + row] = _row(bits[row * width : (row + 1) * width])


def extremes(x: Tensor) -> tuple[Tensor, Tensor] | None:
    """Of float32 [C, N], contiguous and not empty: lowest and highest per row, [C] each; None where
    a value is infinite or NaN."""
    keys = torch.empty((2, len(x)), dtype=torch.int32)
    _extremes(x.numel(), x, keys)
    found = keys.numpy()
    if found.max() >= INFINITY or found.min() <= -INFINITY - 1:
        return None
    bits = found ^ ((found >> 31) & MAGNITUDE)
    low, high = torch.from_numpy(bits.view(np.float32) + np.float32(0))  # no zero below zero
    return low, high

"""extremes: the lowest and highest value of each row, in one pass."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from qflow.loops.frame import Loop, float32_at, float64_at, int32_at, share
from qflow.loops.ordered import HIGHEST, LOWEST, are_finite, bits_of, ends


@Loop
def _extremes(frame):
    bits, low, high = int32_at(frame, 0), float64_at(frame, 1), float64_at(frame, 2)
    odd = int32_at(frame, 3)
    found, as_float = int32_at(frame, 4), float32_at(frame, 4)
    width = bits.size // low.size
    first, last = share(low.size)
    for row in range(first, last):
        some = bits[row * width : (row + 1) * width]
        least, most = ends(some, np.int32(HIGHEST), np.int32(LOWEST))
        found[row] = bits_of(least)
        low[row] = as_float[row]
        found[row] = bits_of(most)
        high[row] = as_float[row]
        if not are_finite(least, most):
            odd[0] = 1


def extremes(x: Tensor) -> tuple[Tensor, Tensor] | None:
    """Of float32 [C, N], contiguous and not empty: lowest and highest per row, float64 [C] each;
    None where a value is infinite or NaN."""
    low, high = (torch.empty(len(x), dtype=torch.float64) for _ in range(2))
    odd = np.zeros(1, np.int32)
    _extremes(x.numel(), x, low, high, odd, np.empty(len(x), np.int32))
    return None if odd[0] else (low, high)

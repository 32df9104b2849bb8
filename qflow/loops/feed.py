"""feed: channels of bytes moved by a number and put into another order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numba import njit

from qflow.loops.frame import Loop, bytes_at, int64_at, integer_at, share

if TYPE_CHECKING:
    from torch import Tensor


@njit
def _row(x, shift, order, out):
    for i in range(out.size):
        out[i] = x[order[i]] + shift


@Loop
def _arrange(frame):
    x, shift, out = bytes_at(frame, 0), np.uint8(integer_at(frame, 1)), bytes_at(frame, 2)
    order, channels = int64_at(frame, 3), integer_at(frame, 4)
    first, last = share(out.size // order.size)
    for row in range(first, last):
        here = x[row * channels : (row + 1) * channels]
        _row(here, shift, order, out[row * order.size : (row + 1) * order.size])


def arrange(x: Tensor, shift: int, order: np.ndarray) -> Tensor:
    """uint8 [N, H, W, len(order)]: channels `order`, int64, of bytes [N, H, W, C], plus `shift`;
    what leaves 8 bits wraps around."""
    x = x.contiguous()
    out = torch.empty((*x.shape[:-1], len(order)), dtype=torch.uint8)
    _arrange(out.numel(), x, shift, out, order, x.shape[-1])
    return out

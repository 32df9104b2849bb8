"""Quotients of integers as TFLite makes them: by a reciprocal in fixed point.

Source: `DivElementwise` of LiteRT, measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.own.tflite import _fixed_point as fixed
from qflow.emulation.profiles._high_multiply import BITS

if TYPE_CHECKING:
    from typing import Any

    from torch import Tensor

WORD = 32
MOST = 62
"""Longest shift of an int64."""


def of(a: np.ndarray, b: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
    """int64 a / b times multiplier * 2^-shift; anything where b is 0."""
    turned, size = np.where(b < 0, -a, a), np.abs(b)
    inverse, over = reciprocal(np.maximum(size, 1))
    room = headroom(turned)
    quotient = fixed.times(turned << room, inverse, WORD)
    right = shift - BITS + over + room
    raised = fixed.held(quotient << np.clip(-right, 0, BITS), WORD)
    return divided(fixed.times(raised, multiplier, WORD), np.clip(right, 0, MOST))


def divided(high: np.ndarray, right: np.ndarray) -> np.ndarray:
    """high / 2^right, half away from zero; beyond 31 bits what x86-64 makes of int32 shifts.

    `RoundingDivideByPOT` leaves those undefined: the shift is by right - 32 there, and its mask is
    -1, so that what is not below 0 gets one more.
    """
    wraps = right > BITS
    mask = np.where(wraps, -1, (np.int64(1) << right) - 1)
    up = (high & mask) > (mask >> 1) + (high < 0)
    return (high >> np.where(wraps, right - WORD, right)) + up


def reciprocal(size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 / size of integers from 1 to 2^31 - 1 in 2^(-31-n), and n: 2^n <= size < 2^(n+1)."""
    over = _bits(size) - 1
    rest = (size << (BITS - over)) - (np.int64(1) << BITS)
    return fixed.one_over_one_plus(rest, WORD), over


def headroom(values: np.ndarray) -> np.ndarray:
    """How far each value can be shifted within int32."""
    return BITS - _bits(np.where(values < 0, -values - 1, values))


def _bits(values: np.ndarray) -> np.ndarray:
    """Bits of integers from 0."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def fast(
    multiplier: int, shift: int, largest: int, device: Any
) -> Callable[[Tensor, Tensor], Tensor]:
    """`of` in torch, of divisors up to `largest`: a table has the reciprocals."""
    import torch

    inverse, over = reciprocal(np.maximum(np.arange(largest + 1), 1))
    table, bits = (torch.from_numpy(v).to(device) for v in (inverse, over))
    half = 1 << (BITS - 1)

    def run(a: Tensor, b: Tensor) -> Tensor:
        turned, size = torch.where(b < 0, -a, a), b.abs()
        bare = torch.where(turned < 0, -turned - 1, turned)
        room = BITS - torch.frexp(bare.double()).exponent.long()
        places = size.reshape(-1)
        inverse = table.index_select(0, places).reshape(size.shape)
        right = bits.index_select(0, places).reshape(size.shape) + room + (shift - BITS)
        quotient = ((turned << room) * inverse + half) >> BITS
        raised = quotient << (-right).clamp_(0, BITS)
        high = (raised.clamp_(-(1 << BITS), (1 << BITS) - 1) * multiplier + half) >> BITS
        right = right.clamp_(0, MOST)
        wraps = right > BITS
        mask = torch.where(wraps, -1, (torch.ones_like(right) << right) - 1)
        up = (high & mask) > (mask >> 1) + (high < 0)
        return (high >> torch.where(wraps, right - WORD, right)) + up

    return run

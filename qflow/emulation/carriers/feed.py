"""feed: an integer operand as the uint8 that int8 kernels take, and the weights that go with it.

A sum of products stays what it was when the operand is split into parts and every part meets the
same weights: `w * x = w * max(x, 0) + (-w) * max(-x, 0)`, and with h = x >> 1
`w * x = w * h + w * (x - h)`. So operands of either sign, or of too many bits, become twice as many
smaller ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.carriers.onednn import holds

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.op import Range

BLOCK = 4
"""Kernels read so many channels at once, and are slow on what is left."""
HALF = 128


@dataclass(frozen=True)
class Feed:
    """One way to hand an operand over."""

    name: str
    """`as is`, `by sign` or `in halves`."""
    weight: np.ndarray
    """int8 [out, channels of the operand as fed, ...]"""
    bring: Callable[[Tensor], Tensor]
    """Integers [N, C, ...] in any dtype, without a zero point, to uint8 with channels last."""


def feed(weight: np.ndarray, values: Range, groups: int) -> Feed | None:
    """How operands within `values` are fed exactly, or None where they cannot be.

    weight: int8 [out, in / groups, ...]; padding adds zeros to `values`.
    """
    low, high = values
    if low >= 0 and high <= 255 and holds(weight, high):
        return Feed("as is", weight, _as_is)
    if groups > 1:
        return None
    if -HALF <= low and high < HALF and holds_parts(weight):
        return Feed("by sign", _twice(weight, -1), _by_sign)
    if low >= 0 and high <= 255 and holds_parts(weight):
        return Feed("in halves", _twice(weight, 1), _in_halves)
    return None


def holds_parts(weight: np.ndarray) -> bool:
    """Whether parts up to 128 are exact with these weights and their negatives."""
    return bool(weight.min() > -HALF) and holds(_twice(weight, 1), HALF)


def _twice(weight: np.ndarray, sign: int) -> np.ndarray:
    both = np.concatenate([weight, sign * weight], axis=1)
    missing = -both.shape[1] % BLOCK
    return np.pad(both, [(0, 0), (0, missing), *[(0, 0)] * (weight.ndim - 2)])


def _as_is(x: Tensor) -> Tensor:
    import torch

    x = x.contiguous(memory_format=torch.channels_last)
    return x.view(torch.uint8) if x.dtype == torch.int8 else x.to(torch.uint8)


def _by_sign(x: Tensor) -> Tensor:
    """`[max(x, 0), max(-x, 0), zeros]` along the channels."""
    import torch

    # -128 as an int8 is its own negative, and 128 as a uint8
    narrow = x.to(torch.int8)
    parts = _room(narrow)
    count = x.shape[1]
    parts[:, :count] = narrow.clamp(min=0)
    parts[:, count : 2 * count] = narrow.clamp(max=0).neg_()
    return parts.view(torch.uint8)


def _in_halves(x: Tensor) -> Tensor:
    import torch

    whole = x.to(torch.uint8)
    parts = _room(whole)
    count = x.shape[1]
    lower = whole >> 1
    parts[:, :count] = lower
    parts[:, count : 2 * count] = whole - lower
    return parts


def _room(x: Tensor) -> Tensor:
    """Twice the channels of `x` and what fills the last block with zeros."""
    import torch

    count = 2 * x.shape[1]
    missing = -count % BLOCK
    shape = (x.shape[0], count + missing, *x.shape[2:])
    room = torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
    if missing:
        room[:, count:] = 0
    return room

"""feed: an integer operand as the uint8 that int8 kernels take.

Operands below 0 are moved up, and the kernel is told the zero point. Where two products that meet
do not fit 16 bits, the channels come in another order, some twice (`pairs`); or all come in two
halves, `w * x = w * h + w * (x - h)` with h = x >> 1, as twice as many channels; their zero
points are halves as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qflow import loops
from qflow.emulation.carriers import pairs
from qflow.emulation.carriers.onednn import holds

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.op import Range

BLOCK = 4
"""Kernels read so many channels at once, and are slow on what is left."""
BYTE = 255
HALF = 128


@dataclass(frozen=True)
class Feed:
    """One way to hand an operand over."""

    weight: np.ndarray
    """int8 [out, channels of the operand as fed, rows, columns]"""
    most: int
    """The largest uint8."""
    shift: int = 0
    """What is added to every value."""
    in_halves: bool = False
    paired: bool = False
    """Whether products fit only because of which channels are neighbours."""
    order: np.ndarray | None = None
    """int64: channels of the operand as they are fed."""

    @property
    def zero(self) -> int:
        """The zero point of what is fed."""
        return self.shift // 2 if self.in_halves else self.shift

    @property
    def name(self) -> str:
        how = {
            "moved": self.shift,
            "twice": self.in_halves,
            "arranged": self.order is not None,
        }
        return " ".join(["int8", *(word for word, so in how.items() if so)])

    def bring(self, x: Tensor) -> Tensor:
        """Centred integers [N, C, H, W] in any dtype to uint8 with channels last."""
        import torch

        if not (self.in_halves and x.shape[1] < BLOCK):  # which is copied in any case
            x = x.contiguous(memory_format=torch.channels_last)
        if self.order is not None and loops.is_there() and x.dtype in (torch.int8, torch.uint8):
            from qflow.loops.feed import arrange

            return arrange(x.permute(0, 2, 3, 1), self.shift, self.order).permute(0, 3, 1, 2)
        if x.dtype != torch.int8:
            x = (x + self.shift if self.shift else x).to(torch.uint8)
        else:
            x = x.view(torch.uint8)
            x = x + self.shift if self.shift else x  # a byte that wraps around ends up right
        if self.order is not None:
            return _arranged(x, self.order)
        return _halves(x) if self.in_halves else x


def feed(weight: np.ndarray, values: Range, groups: int) -> Feed | None:
    """How operands within `values` are fed exactly, or None where they cannot be.

    weight: int8 [out, in / groups, rows, columns].
    """
    low, high = min(values[0], 0), max(values[1], 0)
    if high - low <= BYTE and holds(weight, high - low):
        return Feed(weight, high - low, -low)
    twice = _twice(weight)
    if groups == 1 and high - low <= BYTE:
        found = _paired(weight, high - low, -low)
        if found is not None and found.weight.shape[1] < twice.shape[1]:
            return found
    shift = HALF if low < 0 else 0
    if groups > 1 or low + shift < 0 or high + shift > BYTE or not holds(twice, HALF):
        return None
    return Feed(twice, HALF, shift, in_halves=True)


def _paired(weight: np.ndarray, most: int, shift: int) -> Feed | None:
    if pairs.fit(weight, most):
        return Feed(weight, most, shift, paired=True)
    found = pairs.arranged(weight, most)
    if found is None:
        return None
    missing = -len(found.order) % BLOCK
    filled = np.pad(found.weight, [(0, 0), (0, missing), (0, 0), (0, 0)])
    order = np.pad(found.order, (0, missing))
    return Feed(filled, most, shift, paired=True, order=order)


def _arranged(x: Tensor, order: np.ndarray) -> Tensor:
    """Some channels of [N, C, H, W], channels last in memory, as they are in `order`."""
    import torch

    # NumPy picks single bytes four times as fast
    picked = np.take(x.permute(0, 2, 3, 1).numpy(), order, axis=3)
    return torch.from_numpy(picked).permute(0, 3, 1, 2)


def _twice(weight: np.ndarray) -> np.ndarray:
    missing = -weight.shape[1] % BLOCK
    whole = np.pad(weight, [(0, 0), (0, missing), (0, 0), (0, 0)])
    return np.concatenate([whole, whole], axis=1)


def _halves(x: Tensor) -> Tensor:
    """Both halves of uint8 [N, C, H, W], each filled up to whole blocks of channels.

    They are put together as blocks of four bytes, because copies of single bytes are slow; the
    weights of what fills them up are 0.
    """
    import torch

    last = x.permute(0, 2, 3, 1)
    count = last.shape[3]
    if count % BLOCK:
        blocks = (*last.shape[:3], count + -count % BLOCK)
        filled = torch.zeros(blocks, dtype=torch.uint8)
        # runs of less than a block are copied faster one channel at a time
        for c in range(count) if count < BLOCK else (slice(None, count),):
            filled[..., c] = last[..., c]
        last = filled
    # into tensors of their own: an axis of one place may come with any stride, which a view as
    # blocks does not take
    lower, upper = (torch.empty(last.shape, dtype=torch.uint8) for _ in range(2))
    torch.bitwise_right_shift(last, 1, out=lower)
    torch.sub(last, lower, out=upper)
    parts = [part.view(torch.int32) for part in (lower, upper)]
    return torch.cat(parts, dim=3).view(torch.uint8).permute(0, 3, 1, 2)

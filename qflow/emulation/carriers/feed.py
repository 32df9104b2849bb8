"""feed: an integer operand as the uint8 that int8 kernels take.

Operands below 0 are moved up by their least value, `w * x = w * (x + s) - w * s`, which the bias
takes back; padding then holds `s`. What is too large for two products to meet in 16 bits comes in
two halves, `w * x = w * h + w * (x - h)` with h = x >> 1, as twice as many channels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.carriers.onednn import Geometry, holds

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
    geometry: Geometry
    """With the padding that is left to the kernel."""
    most: int
    """The largest uint8."""
    shift: int = 0
    """What is added to every value."""
    in_halves: bool = False
    padding: tuple[int, int] = (0, 0)
    """Rows and columns that are added here, on every side."""

    @property
    def name(self) -> str:
        words = ["int8", *(["moved"] if self.shift else []), *(["twice"] if self.in_halves else [])]
        return " ".join(words)

    def bring(self, x: Tensor) -> Tensor:
        """Centred integers [N, C, H, W] in any dtype to uint8 with channels last."""
        import torch

        last = torch.channels_last
        x = x.contiguous(memory_format=last)
        if self.shift:
            # whatever the sign, a byte that wraps around ends up right
            narrow = x if x.dtype == torch.int8 else x.to(torch.int16)
            x = (
                (narrow + self.shift).view(torch.uint8)
                if x.dtype == torch.int8
                else narrow + self.shift
            )
        x = x.view(torch.uint8) if x.dtype == torch.int8 else x.to(torch.uint8)
        if not self.in_halves and self.padding == (0, 0):
            return x
        (batch, count, rows, columns), (above, left) = x.shape, self.padding
        shape = (batch, self.weight.shape[1], rows + 2 * above, columns + 2 * left)
        room = torch.empty(shape, dtype=torch.uint8, memory_format=last)
        parts = self._halves(x) if self.in_halves else (x,)
        values = self._values_of_padding()
        inner = room[:, :, above : above + rows, left : left + columns]
        for i, (part, value) in enumerate(zip(parts, values, strict=True)):
            _border(room[:, i * count : (i + 1) * count], value, self.padding)
            inner[:, i * count : (i + 1) * count] = part
        if len(parts) * count < shape[1]:
            room[:, len(parts) * count :] = 0
        return room

    def _values_of_padding(self) -> tuple[int, ...]:
        lower = self.shift >> 1
        return (lower, self.shift - lower) if self.in_halves else (self.shift,)

    def _halves(self, x: Tensor) -> tuple[Tensor, Tensor]:
        lower = x >> 1
        return lower, x - lower


def feed(weight: np.ndarray, values: Range, geometry: Geometry) -> Feed | None:
    """How operands within `values` are fed exactly, or None where they cannot be.

    weight: int8 [out, in / groups, rows, columns].
    """
    low, high = min(values[0], 0), max(values[1], 0)
    if high - low > BYTE:
        return None
    found = Feed(weight, geometry, high - low)
    if low < 0:
        inside = replace(geometry, padding=(0, 0))
        found = replace(found, shift=-low, padding=geometry.padding, geometry=inside)
    if holds(weight, found.most):
        return found
    twice = _twice(weight)
    if geometry.groups > 1 or not holds(twice, HALF):
        return None
    return replace(found, weight=twice, in_halves=True, most=HALF)


def _twice(weight: np.ndarray) -> np.ndarray:
    both = np.concatenate([weight, weight], axis=1)
    missing = -both.shape[1] % BLOCK
    return np.pad(both, [(0, 0), (0, missing), (0, 0), (0, 0)])


def _border(room: Tensor, value: int, padding: tuple[int, int]) -> None:
    above, left = padding
    if above:
        room[:, :, :above] = value
        room[:, :, -above:] = value
    if left:
        room[:, :, :, :left] = value
        room[:, :, :, -left:] = value

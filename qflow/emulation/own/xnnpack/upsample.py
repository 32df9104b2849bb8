"""upsample: XNNPACK has RESIZE_BILINEAR of int8; the rest is left to the built-in kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.own.tflite_builtin import upsample

if TYPE_CHECKING:
    from torch import Tensor

FRACTION = 11


class Upsample(upsample.Upsample):
    """Of int8 fractions have 11 bits, and the sum is rounded half up.

    Places are made in float32 and a fraction is rounded half to even. Source: s8-ibilinear of
    XNNPACK, measured.
    """

    def fraction(self, dtype: str) -> int:
        return FRACTION if dtype == "int8" else super().fraction(dtype)

    def places(self, size: int, count: int, aligned: bool, dtype: str) -> tuple[Any, Any]:
        if dtype != "int8":
            return super().places(size, count, aligned, dtype)
        reduced = int(aligned and count > 1)
        step = np.float32(size - reduced) / np.float32(count - reduced)
        place = np.arange(count).astype(np.float32)
        first = np.float32(0) if aligned else np.float32(0.5) * step - np.float32(0.5)
        real = place * step + first
        held = np.clip(real.astype(np.float32), np.float32(0), np.float32(size - 1))
        before = np.floor(held).astype(np.int64)
        behind = (held - before.astype(np.float32)) * np.float32(1 << FRACTION)
        return before, np.rint(behind).astype(np.int64)

    def rounded(self, total: np.ndarray, dtype: str) -> np.ndarray:
        if dtype != "int8":
            return super().rounded(total, dtype)
        return (total + (1 << (2 * FRACTION - 1))) >> (2 * FRACTION)

    def fast_rounded(self, total: Tensor, dtype: str) -> Tensor:
        if dtype != "int8":
            return super().fast_rounded(total, dtype)
        return total.mul_(2.0 ** (-2 * FRACTION)).add_(0.5).floor_()

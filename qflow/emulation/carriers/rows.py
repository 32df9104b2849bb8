"""rows: a convolution of images as a matrix product: what each place of the output reads."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.carriers.onednn import Geometry

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """One row per place of the output, its taps by kernel row, kernel column and channel."""

    geometry: Geometry
    """Ungrouped."""
    sides: tuple[int, ...]
    """Rows and columns of the kernel; empty for a linear layer."""

    @property
    def kernel(self) -> tuple[int, int]:
        rows, columns = self.sides or (1, 1)
        return rows, columns

    def taps(self, weight: np.ndarray) -> np.ndarray:
        """Weights [out, in] or [out, in, rows, columns] in the order of a row: [out, width]."""
        images = weight.reshape(*weight.shape[:2], *self.kernel)
        return np.ascontiguousarray(images.transpose(0, 2, 3, 1)).reshape(len(weight), -1)

    def padded(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] with the zeros around them, in any dtype."""
        from torch.nn.functional import pad

        top, left = self.geometry.padding
        return pad(x, (left, left, top, top)) if top or left else x

    def of(self, x: Tensor) -> Tensor:
        """Images, padded, [N, C, H, W] to [places, width]; a view where there is nothing to copy.

        `torch.nn.functional.unfold` knows no integers.
        """
        last = x.permute(0, 2, 3, 1)
        (down, right), (rows, columns) = self.geometry.stride, self._places(x)
        if self.kernel == (1, 1):
            return last[:, ::down, ::right].reshape(-1, x.shape[1])
        last = last.contiguous()
        image, row, place, one = last.stride()
        far_down, far_right = self.geometry.dilation
        sizes = (len(x), rows, columns, *self.kernel, x.shape[1])
        steps = (image, down * row, right * place, far_down * row, far_right * place, one)
        return last.as_strided(sizes, steps).reshape(len(x) * rows * columns, prod(sizes[3:]))

    def images(self, sums: Tensor, x: Tensor) -> Tensor:
        """Sums [places, out] to [N, out, rows, columns]; `x` is the operand, padded."""
        return sums.reshape(len(x), *self._places(x), sums.shape[1]).permute(0, 3, 1, 2)

    def width(self, x: Tensor) -> int:
        """Values copied per image."""
        rows, columns = self._places(x)
        return prod((rows, columns, *self.kernel, x.shape[1]))

    def _places(self, x: Tensor) -> tuple[int, int]:
        """Rows and columns of the output of images that are padded."""
        far, step = self.geometry.dilation, self.geometry.stride
        rows, columns = (
            (x.shape[2 + i] - far[i] * (self.kernel[i] - 1) - 1) // step[i] + 1 for i in (0, 1)
        )
        return rows, columns

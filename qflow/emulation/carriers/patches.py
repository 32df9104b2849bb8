"""patches: convolutions whose windows neither overlap nor leave a gap, as layers of 1 by 1.

The first layer of vision transformers cuts an image of three channels into such patches. As
convolutions of so few channels int8 kernels are slow, and find no room to arrange them (`pairs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.carriers.onednn import Geometry

FEW = 4
"""Channels of an operand, below which it is worth a copy."""


def are_cut(weight: np.ndarray, geometry: Geometry) -> bool:
    """Whether a layer cuts patches; weight [out, in, rows, columns]."""
    sides = weight.shape[2:]
    alone = geometry.padding == (0, 0) and geometry.dilation == (1, 1) and geometry.groups == 1
    return alone and weight.shape[1] < FEW and sides == geometry.stride and sides != (1, 1)


def weight_of_rows(weight: np.ndarray) -> np.ndarray:
    """[out, in, rows, columns] to [out, rows * columns * in, 1, 1]."""
    return np.moveaxis(weight, 1, -1).reshape(len(weight), -1, 1, 1)


def cut(x: Tensor, rows: int, columns: int) -> Tensor:
    """[N, C, H, W] to [N, rows * columns * C, H / rows, W / columns], channels last in memory; what
    fills no patch is left out."""
    last = x.permute(0, 2, 3, 1)
    count, height, width, channels = last.shape
    down, across = height // rows, width // columns
    whole = last[:, : down * rows, : across * columns]
    apart = whole.reshape(count, down, rows, across, columns, channels).transpose(2, 3)
    return apart.reshape(count, down, across, -1).permute(0, 3, 1, 2)

"""Average pools that do not count the padding: how many taps of each window are valid, and sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.ops._window import pad_image, windows_of

if TYPE_CHECKING:
    from torch import Tensor


def sums(image: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """int64 sums of the windows of [batch, channel, row, column]; padding counts as 0."""
    padded = pad_image(image.astype(np.int64), attributes["padding"], 0)
    seen = windows_of(padded, attributes["kernel"], attributes["stride"])
    return seen.sum(axis=(4, 5))


def valid(size: int, attributes: Mapping[str, Any], axis: int) -> np.ndarray:
    """Per window the taps of one axis (0: rows, 1: columns) that lie within the image."""
    kernel, stride = attributes["kernel"][axis], attributes["stride"][axis]
    before, behind = attributes["padding"][axis], attributes["padding"][axis + 2]
    starts = np.arange(0, size + before + behind - kernel + 1, stride) - before
    return np.minimum(starts + kernel, size) - np.maximum(starts, 0)


def mean_of_valid(
    total: np.ndarray, shape: tuple[int, ...], attributes: Mapping[str, Any]
) -> np.ndarray:
    """What a window's sum would be if its padding held its mean, float32.

    The mean of the valid taps in float32, times the rows of the kernel, times its columns: three
    roundings, as the compiler's interpreter makes them. `shape` is the image's.
    """
    rows, columns = valid(shape[2], attributes, 0), valid(shape[3], attributes, 1)
    count = np.outer(rows, columns).astype(np.float32)
    mean = total.astype(np.float32) / count
    rows_of_kernel, columns_of_kernel = (np.float32(k) for k in attributes["kernel"])
    return (mean * rows_of_kernel).astype(np.float32) * columns_of_kernel


def fast_sums(attributes: Mapping[str, Any]) -> Callable[[Tensor], Tensor]:
    """`sums` in torch, float32: a window of bytes is far below 2^24."""
    from torch.nn.functional import avg_pool2d, pad

    top, left, bottom, right = attributes["padding"]

    def run(image: Tensor) -> Tensor:
        padded = pad(image.float(), (left, right, top, bottom))
        return avg_pool2d(padded, attributes["kernel"], attributes["stride"], divisor_override=1)

    return run

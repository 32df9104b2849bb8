"""Sliding windows over images: their sizes as plain tuples, and the windows themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from qflow.emulation.op import Unsupported

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]
"""top, left, bottom, right: the order of ONNX."""


def pair(value: Any, what: str) -> Pair:
    """`3` or `(3, 3)` as a pair. Raises Unsupported for anything else."""
    sizes = (value, value) if isinstance(value, int) else tuple(value)
    if len(sizes) != 2 or not all(isinstance(s, int) for s in sizes):
        raise Unsupported(f"{what} = {value!r}: it must be one or two whole numbers")
    return int(sizes[0]), int(sizes[1])


def both_sides(value: Any, what: str = "padding") -> Padding:
    """The same padding on opposite sides."""
    vertical, horizontal = pair(value, what)
    return vertical, horizontal, vertical, horizontal


def same(kernel: Pair, dilation: Pair) -> Padding:
    """Padding of `padding="same"` at stride 1; the odd row and column go below and to the right."""
    total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    top, left = total[0] // 2, total[1] // 2
    return top, left, total[0] - top, total[1] - left


def image(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Batch, channels, rows and columns. Raises Unsupported for anything but an image batch."""
    if len(shape) != 4:
        raise Unsupported(f"it reads a tensor {shape}: an image batch has four axes")
    batch, channels, rows, columns = shape
    return batch, channels, rows, columns


def image_shape(
    attributes: Mapping[str, Any], shape: tuple[int, ...], dilation: Pair = (1, 1)
) -> tuple[int, int, int, int]:
    """Shape of the output with the input's channels. Raises Unsupported if no window fits."""
    if len(shape) != 4:
        raise Unsupported(f"it reads a tensor {shape}: an image batch has four axes")
    kernel, stride, padding = (attributes[n] for n in ("kernel", "stride", "padding"))
    rows, columns = (
        (shape[2 + i] + padding[i] + padding[i + 2] - dilation[i] * (kernel[i] - 1) - 1)
        // stride[i]
        + 1
        for i in range(2)
    )
    if rows < 1 or columns < 1:
        raise Unsupported(f"a window of {kernel} does not fit into an image {shape}")
    return shape[0], shape[1], rows, columns


def pool_shape(
    attributes: Mapping[str, Any], shape: tuple[int, ...], dilation: Pair = (1, 1)
) -> tuple[int, int, int, int]:
    """The same of a pool, whose windows must not lie in the padding alone."""
    kernel, padding = attributes["kernel"], attributes["padding"]
    if any(2 * padding[i] > kernel[i] for i in range(2)):
        raise Unsupported(f"padding {padding} is more than half of the window {kernel}")
    return image_shape(attributes, shape, dilation)


def ceil_padding(attributes: Mapping[str, Any], shape: tuple[int, ...]) -> Padding:
    """Padding that yields the windows of `ceil_mode`, those that start inside the image."""
    kernel, stride, dilation = (attributes[n] for n in ("kernel", "stride", "dilation"))
    first = attributes["padding"][:2]
    last = []
    for i in range(2):
        reach = dilation[i] * (kernel[i] - 1) + 1
        steps = -(-(shape[2 + i] + 2 * first[i] - reach) // stride[i])
        if steps * stride[i] >= shape[2 + i] + first[i]:
            steps -= 1
        last.append(max(steps * stride[i] + reach - shape[2 + i] - first[i], 0))
    return first[0], first[1], last[0], last[1]


def pad_image(image: np.ndarray, padding: Padding, value: int) -> np.ndarray:
    top, left, bottom, right = padding
    sides = ((0, 0), (0, 0), (top, bottom), (left, right))
    return np.pad(image, sides, constant_values=value)


def windows_of(
    image: np.ndarray, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)
) -> np.ndarray:
    """[batch, channel, row, column, kernel row, kernel column] of [batch, channel, h, w]."""
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    windows = sliding_window_view(image, reach, axis=(2, 3))
    return windows[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def argument(
    args: Sequence[Any], kwargs: Mapping[str, Any], position: int, name: str, default: Any
) -> Any:
    """An argument of a call, given by position or by name."""
    return args[position] if len(args) > position else kwargs.get(name, default)

"""Sizes of sliding windows, from the forms torch accepts to plain tuples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


def output_size(size: Pair, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Pair:
    """Rows and columns a window operator yields. Raises Unsupported when the window does not fit."""
    rows, columns = (
        (size[i] + padding[i] + padding[i + 2] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1
        for i in range(2)
    )
    if rows < 1 or columns < 1:
        raise Unsupported(f"a {kernel} window does not fit into a {size} image")
    return rows, columns


def argument(
    args: Sequence[Any], kwargs: dict[str, Any] | Any, position: int, name: str, default: Any
) -> Any:
    """An argument of a call, given by position or by name."""
    return args[position] if len(args) > position else kwargs.get(name, default)

"""windows: strides, dilations and pads of what slides over an image, as torch takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch.nn import functional

from qflow.frontends.aten import Unknown
from qflow.frontends.onnx_graph import Reader
from qflow.frontends.onnx_values import Node


@dataclass(frozen=True)
class Window:
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[int, ...]
    """At the beginning of every dimension, then at the end of every one."""


def window(read: Reader, node: Node, kernel: Sequence[int]) -> Window:
    """Raises Unknown where the padding follows from a shape nobody tells."""
    rank = len(kernel)
    said = node.attributes
    stride = tuple(said.get("strides", (1,) * rank))
    dilation = tuple(said.get("dilations", (1,) * rank))
    pads = tuple(said.get("pads", (0,) * 2 * rank))
    how = said.get("auto_pad", "NOTSET")
    if how in ("SAME_UPPER", "SAME_LOWER"):
        pads = _same(read, node, tuple(kernel), stride, dilation, how == "SAME_UPPER")
    if (len(stride), len(dilation), len(pads)) != (rank, rank, 2 * rank) or min(pads) < 0:
        raise Unknown("has strides or pads that do not fit its kernel")
    if not all(isinstance(n, int) and 0 < n < 1 << 20 for n in (*kernel, *stride, *dilation)):
        raise Unknown("has a stride or a kernel below 1")
    return Window(tuple(kernel), stride, dilation, pads)


def _same(
    read: Reader,
    node: Node,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    upper: bool,
) -> tuple[int, ...]:
    sizes = (read.shape(node, 0) or ())[2:]
    begin, end = [], []
    for i, k in enumerate(kernel):
        size = sizes[i] if i < len(sizes) else None
        if stride[i] != 1 and size is None:
            raise Unknown("pads by the size of its input, which the file does not tell")
        reach = (k - 1) * dilation[i] + 1
        total = max(reach - 1 if size is None else _total(size, stride[i], reach), 0)
        begin.append(total // 2 if upper else total - total // 2)
        end.append(total - begin[-1])
    return (*begin, *end)


def _total(size: int, stride: int, reach: int) -> int:
    return (-(-size // stride) - 1) * stride + reach - size


def padded(read: Reader, node: Node, found: Window, fill: float) -> tuple[Any, tuple[int, ...]]:
    """The first operand, and the padding both sides of it still need.

    Sides that differ are padded by a call of their own.
    """
    rank = len(found.kernel)
    begin, end = found.pads[:rank], found.pads[rank:]
    x = read.tensor(node, 0)
    if begin == end:
        return x, begin
    # torch counts from the last dimension
    sizes = [n for pair in zip(reversed(begin), reversed(end), strict=True) for n in pair]
    given = {"value": fill} if fill else {}
    return read.add(functional.pad, x, tuple(sizes), **given), (0,) * rank

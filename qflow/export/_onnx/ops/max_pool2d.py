"""max_pool2d: MaxPool on one grid; a rounded-up size becomes padding, alike in every opset."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qflow.export._onnx import attributes, shapes

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.attributes import Window
    from qflow.export._onnx.emit import Context


class MaxPool2d:
    def emit(self, node: Node, context: Context) -> None:
        size = context.graph.by_id[node.inputs[0]].output.shape[2:]
        window = _covering(attributes.window(node), size, node.output.shape[2:])
        shapes.moved(node, context, "MaxPool", **window.onnx())


def _covering(window: Window, size: tuple[int, ...], output: tuple[int, ...]) -> Window:
    """The window with padding below and to the right so that the last one fits.

    Padding is never the largest value: the last window of `ceil_mode` starts inside the image.
    """
    top, left, *ends = window.padding
    for axis in range(2):
        reach = (output[axis] - 1) * window.stride[axis]
        reach += window.dilation[axis] * (window.kernel[axis] - 1) + 1
        ends[axis] = max(ends[axis], reach - size[axis] - (top, left)[axis])
    return replace(window, padding=(top, left, ends[0], ends[1]))

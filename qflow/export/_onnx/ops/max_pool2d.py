"""max_pool2d: MaxPool on one grid; lowering has turned a rounded-up size into padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._onnx import attributes, shapes

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class MaxPool2d:
    def emit(self, node: Node, context: Context) -> None:
        shapes.moved(node, context, "MaxPool", **attributes.window(node).onnx())

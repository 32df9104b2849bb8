"""permute: Transpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._onnx import shapes

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class Permute:
    def emit(self, node: Node, context: Context) -> None:
        shapes.moved(node, context, "Transpose", perm=list(node.attributes["dims"]))

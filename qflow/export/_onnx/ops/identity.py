"""identity: no ONNX node at all; the tensor of its input stands for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class Identity:
    def emit(self, node: Node, context: Context) -> None:
        context.builder.alias(node.id, node.inputs[0])

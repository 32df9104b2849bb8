"""reshape: Reshape with a free batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._onnx import shapes

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class Reshape:
    def emit(self, node: Node, context: Context) -> None:
        builder = context.builder
        shape = (-1, *node.output.shape[1:])
        real = shapes.reshape(builder, builder.real(node.inputs[0]), shape, f"{node.id}/reshape")
        builder.quantize(node.id, real, node.output)

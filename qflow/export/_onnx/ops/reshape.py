"""reshape: Reshape with a free batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._onnx import shapes
from qflow.export._onnx.attributes import keeps_accumulator

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class Reshape:
    def emit(self, node: Node, context: Context) -> None:
        builder = context.builder
        shape = tuple(node.attributes.get("sizes", (-1, *node.output.shape[1:])))

        def step(source: str) -> str:
            return shapes.reshape(builder, source, shape, f"{node.id}/reshape")

        if keeps_accumulator(node):
            shapes.accumulator(node, context, step)
            return
        builder.quantize(node.id, step(builder.real(node.inputs[0])), node.output)

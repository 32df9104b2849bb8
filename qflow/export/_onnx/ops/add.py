"""add: Add on dequantized values, then the output's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._onnx import clamp
from qflow.export._onnx.emit import refused

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class Add:
    def emit(self, node: Node, context: Context) -> None:
        if len(node.inputs) != 2:
            raise refused(node, "one operand is a number")
        builder = context.builder
        operands = [builder.real(i) for i in node.inputs]
        real = builder.step("Add", operands, f"{node.id}/add")
        builder.quantize(node.id, clamp.append(node, context, real), node.output)

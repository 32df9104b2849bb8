"""rescale: real values onto another grid; onnx rounds them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._onnx import clamp

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class Rescale:
    def emit(self, node: Node, context: Context) -> None:
        builder = context.builder
        real = clamp.append(node, context, builder.real(node.inputs[0]))
        builder.quantize(node.id, real, node.output)

"""input: an input of the ONNX graph, brought to NCHW."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._onnx.builder import Value
from qflow.export._onnx.ports import TO_NCHW

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class Input:
    def emit(self, node: Node, context: Context) -> None:
        port = context.ports[node.id]
        name = port.name
        if port.is_nhwc:
            name = context.builder.step("Transpose", (name,), f"{name}/nchw", perm=list(TO_NCHW))
        found = Value(node.output, real=name) if port.is_float else Value(node.output, integer=name)
        context.builder.values[node.id] = found

"""adaptive_avg_pool2d: GlobalAveragePool, then the output's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._onnx.emit import refused

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class AdaptiveAvgPool2d:
    def emit(self, node: Node, context: Context) -> None:
        if tuple(node.attributes["size"]) != (1, 1):
            raise refused(node, f"its output is {node.attributes['size']}, not one place")
        builder = context.builder
        x = builder.real(node.inputs[0])
        builder.quantize(
            node.id, builder.step("GlobalAveragePool", (x,), f"{node.id}/mean"), node.output
        )

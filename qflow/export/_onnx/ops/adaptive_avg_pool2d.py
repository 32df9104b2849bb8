"""adaptive_avg_pool2d: GlobalAveragePool, then the output's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class AdaptiveAvgPool2d:
    def emit(self, node: Node, context: Context) -> None:
        builder = context.builder
        x = builder.real(node.inputs[0])
        builder.quantize(
            node.id, builder.step("GlobalAveragePool", (x,), f"{node.id}/mean"), node.output
        )

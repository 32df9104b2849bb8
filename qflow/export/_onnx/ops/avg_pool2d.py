"""avg_pool2d: AveragePool that counts padding, then the output's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._onnx import attributes

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class AvgPool2d:
    def emit(self, node: Node, context: Context) -> None:
        builder = context.builder
        window = attributes.window(node).onnx()
        # dilation is an attribute of AveragePool only since opset 19, and never used here
        del window["dilations"]
        x = builder.real(node.inputs[0])
        real = builder.step("AveragePool", (x,), f"{node.id}/mean", count_include_pad=1, **window)
        builder.quantize(node.id, real, node.output)

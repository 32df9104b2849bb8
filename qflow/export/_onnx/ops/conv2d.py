"""conv2d: Conv on dequantized values; ConvInteger where the accumulator itself is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qflow.diagnostics import fail
from qflow.export._onnx import accumulator, attributes, gemm

if TYPE_CHECKING:
    import numpy as np

    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class Conv2d:
    def emit(self, node: Node, context: Context) -> None:
        gemm.emit(node, context, self)

    def real(self, node: Node, context: Context, operands: tuple[str, ...]) -> str:
        builder = context.builder
        x = builder.real(node.inputs[0])
        return builder.step("Conv", (x, *operands), f"{node.id}/conv", **_window(node))

    def reshapes(self, node: Node) -> bool:
        return False

    def shaped(self, node: Node, context: Context, real: str) -> str:
        return real

    def integer(self, node: Node, context: Context, weight: np.ndarray) -> str:
        builder = context.builder
        source = context.graph.by_id[node.inputs[0]].output.dtype
        for what, dtype in (("inputs", source), ("weights", weight.dtype.name)):
            if dtype != "int8":
                raise fail(accumulator.impossible(node, f"ONNX convolves no {dtype} {what}"))
        stored = builder.constant(f"{node.id}.weight", weight)
        x = builder.integer(node.inputs[0])
        return builder.step("ConvInteger", (x, stored), f"{node.id}/conv", **_window(node))


def _window(node: Node) -> dict[str, Any]:
    return {**attributes.window(node).onnx(), "group": attributes.groups(node)}

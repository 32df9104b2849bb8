"""quantize: QuantizeLinear, or nothing where the input already comes in integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic, fail
from qflow.export._onnx.builder import Value

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context

ONNX = "half_even"


class Quantize:
    def emit(self, node: Node, context: Context) -> None:
        builder = context.builder
        # a dequantized tensor has integers too, but on another grid
        if context.graph.by_id[node.inputs[0]].op == "input":
            source = builder.values[node.inputs[0]]
            if source.integer is not None:
                builder.values[node.id] = Value(node.output, integer=source.integer)
                return
        if (rounding := node.attributes["rounding"]) != ONNX:
            raise fail(
                Diagnostic(
                    "QF502",
                    f"`{node.address}` rounds {rounding}, and QuantizeLinear {ONNX}",
                    help=f"let `{node.address}` take integers, or train the model with {ONNX}",
                )
            )
        builder.quantize(node.id, builder.real(node.inputs[0]), node.output)

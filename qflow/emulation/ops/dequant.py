"""dequant: where integers become float values again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.graph import TensorType
from qflow.emulation.op import Op, Unsupported

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Dequant(Op):
    """No attributes."""

    name = "dequant"
    role = "boundary"
    modules = (
        "qflow.quantization.DeQuantStub",
        "qflow.quantization.stubs.DeQuantStub",
        "torch.ao.quantization.stubs.DeQuantStub",
    )
    integer = False

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.types[node.inputs[0]]
        if source.scale is None:
            raise Unsupported("it reads float32: it turns integers into floats")
        output = TensorType("float32", source.shape, layout=source.layout)
        build.emit(node, "dequantize", node.inputs, output)

"""quant: where float values become integers of the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.dtype import DTYPES
from qflow.emulation.op import Op, Unsupported

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Quant(Op):
    """No attributes."""

    name = "quant"
    role = "boundary"
    modules = (
        "qflow.quantization.QuantStub",
        "qflow.quantization.stubs.QuantStub",
        "torch.ao.quantization.stubs.QuantStub",
    )
    integer = False

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.types[node.inputs[0]]
        if source.scale is not None:
            raise Unsupported(f"it reads {source.dtype}: it turns float32 into integers")
        output = build.output_type(node, source.shape, source.layout)
        dtype = DTYPES[output.dtype]
        rounding = build.rounding(node, node.grid)
        attributes = {"rounding": rounding, "low": dtype.qmin, "high": dtype.qmax}
        build.emit(node, "quantize", node.inputs, output, attributes)

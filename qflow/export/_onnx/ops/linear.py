"""linear: Gemm on dequantized values, because onnxruntime runs it in integers with its bias."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.export._onnx import gemm
from qflow.export._onnx.shapes import reshape

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context

_GEMM_RANK = 2
_FREE = -1


class Linear:
    def emit(self, node: Node, context: Context) -> None:
        gemm.emit(node, context, self)

    def real(self, node: Node, context: Context, operands: tuple[str, ...]) -> str:
        builder = context.builder
        source = node.inputs[0]
        if self.reshapes(node):
            # a grid on both sides of the reshape: Gemm stays next to a DequantizeLinear
            type_ = context.graph.by_id[source].output
            rows = reshape(
                builder, builder.real(source), (_FREE, type_.shape[-1]), f"{node.id}/rows/real"
            )
            source = f"{node.id}/rows"
            builder.quantize(source, rows, type_)
        x = builder.real(source)
        return builder.step("Gemm", (x, *operands), f"{node.id}/gemm", transB=1)

    def reshapes(self, node: Node) -> bool:
        return len(node.output.shape) != _GEMM_RANK

    def shaped(self, node: Node, context: Context, real: str) -> str:
        if not self.reshapes(node):
            return real
        shape = (_FREE, *node.output.shape[1:])
        return reshape(context.builder, real, shape, f"{node.id}/shaped")

    def integer(self, node: Node, context: Context, weight: np.ndarray) -> str:
        builder = context.builder
        x, source = builder.integer(node.inputs[0]), context.graph.by_id[node.inputs[0]].output
        columns = np.ascontiguousarray(weight.T)
        name = f"{node.id}.weight/columns"
        if (source.dtype, weight.dtype.name) == ("int8", "int8"):
            stored = builder.constant(name, columns)
            return builder.step("MatMulInteger", (x, stored), f"{node.id}/matmul")
        wide = builder.step("Cast", (x,), f"{node.id}/wide", to=np.dtype(np.int32))
        stored = builder.constant(name, columns.astype(np.int32))
        return builder.step("MatMul", (wide, stored), f"{node.id}/matmul")

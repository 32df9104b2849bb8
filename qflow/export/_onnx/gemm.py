"""gemm: a convolution or matrix product with what is fused behind it, in QDQ form.

Without a residual a rounding stands between product and activation, because only then onnxruntime
runs the product in integers; on a symmetric grid relu and clip commute with that rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from qflow.export._onnx import accumulator, attributes, clamp, weights
from qflow.export._onnx.builder import Value

if TYPE_CHECKING:
    import numpy as np

    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context


class Product(Protocol):
    """What differs between convolution and matrix product."""

    def real(self, node: Node, context: Context, operands: tuple[str, ...]) -> str:
        """Append the product of input, weight and perhaps bias; returns its name."""

    def reshapes(self, node: Node) -> bool:
        """Whether the product has another shape than the node."""

    def shaped(self, node: Node, context: Context, real: str) -> str:
        """Bring the product to the node's shape."""

    def integer(self, node: Node, context: Context, weight: np.ndarray) -> str:
        """Append the exact int32 product; QF501 where ONNX has none."""


def emit(node: Node, context: Context, product: Product) -> None:
    """Append the node. Raises QflowError QF501 for an accumulator ONNX cannot compute, QF506."""
    builder, type_ = context.builder, node.output
    if node.id in context.integers:
        accumulator.emit(node, context, product)
        return
    operands = (weights.real_weight(node, context), *weights.real_bias(node, context))
    real = product.real(node, context, operands)
    residual = attributes.residual(node)
    kept = attributes.keeps_accumulator(node)
    clamped = attributes.clamp(node) is not None
    rounded = residual is None and not kept and (clamped or product.reshapes(node))
    if rounded:
        builder.quantize(f"{node.id}/product", real, type_)
        real = builder.real(f"{node.id}/product")
    real = product.shaped(node, context, real)
    if rounded and clamped and product.reshapes(node):
        # on the grid again: onnxruntime would put it there itself, and stumble on opset 21
        builder.quantize(f"{node.id}/rounded", real, type_)
        real = builder.real(f"{node.id}/rounded")
    if residual is not None:
        real = builder.step("Add", (real, builder.real(residual)), f"{node.id}/sum")
    real = clamp.append(node, context, real)
    if kept:
        builder.values[node.id] = Value(type_, real=real)
        return
    builder.quantize(node.id, real, type_)

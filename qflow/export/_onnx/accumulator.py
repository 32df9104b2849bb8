"""accumulator: a kept int32 accumulator as an int32 output.

QuantizeLinear makes no int32, so the product itself runs in integers: ConvInteger and MatMulInteger
for int8, a matrix product of int32 tensors for int16. All of them are exact; what ONNX has no
integer operator for is refused, never approximated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.diagnostics import Diagnostic, fail
from qflow.export._onnx import attributes, weights
from qflow.export._onnx.builder import Value
from qflow.export._onnx.clamp import along

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context
    from qflow.export._onnx.gemm import Product


def emit(node: Node, context: Context, product: Product) -> None:
    """Append product, bias and clamp in int32. Raises QflowError QF501."""
    if attributes.residual(node) is not None:
        raise fail(impossible(node, "a residual is added to it in another scale"))
    builder, type_ = context.builder, node.output
    name = product.integer(node, context, weights.integers(node, context))
    bias = weights.integer_bias(node, context)
    if bias is not None and bias.any():
        stored = builder.constant(f"{node.id}.bias", bias.reshape(along(type_)))
        name = builder.step("Add", (name, stored), f"{node.id}/sum")
    found = attributes.clamp(node)
    if found is not None:
        low, high = found
        top = attributes.constant(context.graph, node, "high")
        ends = np.int32(low), np.int32(high) if top is None else top.reshape(along(type_))
        for op, end in zip(("Max", "Min"), ends, strict=True):
            limit = builder.constant(f"{node.id}/{op.lower()}", np.asarray(end, np.int32))
            name = builder.step(op, (name, limit), f"{node.id}/clip")
    builder.values[node.id] = Value(type_, integer=name)


def impossible(node: Node, why: str) -> Diagnostic:
    """The QF501 for an accumulator that cannot be an output."""
    return Diagnostic(
        "QF501",
        f"the accumulator of `{node.address}` cannot be exported as int32: {why}",
        help="export it as float32: the accumulator times its scale",
    )

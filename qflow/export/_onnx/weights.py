"""weights: integer weights and biases as constants, dequantized for the float product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.diagnostics import Diagnostic, fail
from qflow.emulation.graph import TensorType
from qflow.export._onnx import attributes
from qflow.export._onnx.builder import Value

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.emit import Context

CHANNELS = 0
"""Axis of the scales, both of weights [out, in, ...] and of biases [out]."""


def real_weight(node: Node, context: Context) -> str:
    """Name of the dequantized weight, float32 in torch's shape [out, in, ...]."""
    weight = integers(node, context)
    return _real(f"{node.id}.weight", weight, scale(node, context), context)


def real_bias(node: Node, context: Context) -> tuple[str, ...]:
    """Name of the dequantized bias, or nothing. Its scale is input scale times weight scale."""
    bias = integer_bias(node, context)
    if bias is None:
        return ()
    source = context.graph.by_id[node.inputs[0]].output.scale
    assert source is not None
    product = (source.astype(np.float32) * scale(node, context)).astype(np.float32)
    return (_real(f"{node.id}.bias", bias, product, context),)


def integers(node: Node, context: Context) -> np.ndarray:
    """int8 or int16, [out, in, ...]."""
    weight = attributes.constant(context.graph, node, "weight")
    assert weight is not None, f"{node.id} has no weight"
    return weight


def scale(node: Node, context: Context) -> np.ndarray:
    """float32 [out]."""
    found = attributes.constant(context.graph, node, "weight_scale")
    assert found is not None, f"{node.id} has no weight scale"
    return found.astype(np.float32).reshape(-1)


def integer_bias(node: Node, context: Context) -> np.ndarray | None:
    """int32 [out]. Raises QflowError QF506 when it does not fit."""
    bias = attributes.constant(context.graph, node, "bias")
    if bias is None:
        return None
    if np.array_equal(bias, bias.astype(np.int32)):
        return bias.astype(np.int32)
    raise fail(
        Diagnostic(
            "QF506",
            f"the bias of `{node.address}` does not fit into int32, which ONNX needs",
            help="give the layer's input or weight a larger scale",
        )
    )


def _real(name: str, array: np.ndarray, scales: np.ndarray, context: Context) -> str:
    """A module that runs twice stores its parameters twice: onnxruntime rewrites the weights of
    every product where it makes them unsigned, and cannot load a model that shares them.
    """
    type_ = TensorType(array.dtype.name, array.shape, scales, axis=CHANNELS)
    context.builder.values[name] = Value(type_, integer=context.builder.constant(name, array))
    return context.builder.real(name)

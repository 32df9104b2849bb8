"""What the compiler makes of constant operands before it looks at ranges: numbers and scales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from qflow.quantization.prepared import PreparedGraph, PreparedNode

ABSORBING = ("add", "sub", "mul", "maximum", "minimum", "matmul")
"""Operators that hold a constant operand as a parameter of their own."""
NUMBERS = ("add", "sub", "mul")
"""Those that hold a number as the attribute `scalar`."""


def absorb_constants(graph: PreparedGraph) -> PreparedGraph:
    """Constant operands become parameters of what reads them.

    A constant of one value is the attribute `scalar` (with `reflected` where it stands first); any
    other is the node's `weight`, and the attribute `constant` says which operand it is. A product
    with one value per channel becomes a batch norm without bias, as the compiler makes a Scale of
    it. Constants that nothing else reads are gone.
    """
    constants = {n.id: n.weight for n in graph.nodes if n.op == "constant" and n.weight is not None}
    nodes = [_absorbed(_squared(n), constants) for n in graph.nodes]
    read = {i for n in nodes for i in n.inputs} | {source for _, source in graph.outputs}
    kept = tuple(n for n in nodes if n.id not in constants or n.id in read)
    return replace(graph, nodes=kept)


def _squared(node: PreparedNode) -> PreparedNode:
    """A square is a product with itself."""
    attributes = node.attributes
    if node.op != "pow" or attributes.get("scalar") != 2 or attributes.get("reflected"):
        return node
    return replace(node, op="mul", inputs=node.inputs * 2, attributes={})


def _absorbed(node: PreparedNode, constants: Mapping[str, np.ndarray]) -> PreparedNode:
    held = [i for i, name in enumerate(node.inputs) if name in constants]
    if node.op not in ABSORBING or len(held) != 1 or len(node.inputs) != 2:
        return node
    (place,) = held
    value = np.asarray(constants[node.inputs[place]], np.float32)
    inputs = (node.inputs[1 - place],)
    attributes: dict[str, Any] = dict(node.attributes)
    if value.size == 1 and node.op in NUMBERS:
        attributes["scalar"] = float(value.reshape(()))
        if node.op == "sub" and place == 0:
            attributes["reflected"] = True
        return replace(node, inputs=inputs, attributes=attributes)
    if node.op == "mul" and _per_channel(value, node.shape):
        zeros = np.zeros(value.size, np.float32)
        flat = value.reshape(-1)
        return replace(node, op="batch_norm", inputs=inputs, weight=flat, bias=zeros)
    attributes["constant"] = place
    return replace(node, inputs=inputs, attributes=attributes, weight=value)


def _per_channel(value: np.ndarray, shape: tuple[int, ...]) -> bool:
    rank = len(shape)
    if rank < 3 or value.ndim > rank or value.size != shape[1]:
        return False
    whole = (1,) * (rank - value.ndim) + value.shape
    return whole[1] == shape[1]

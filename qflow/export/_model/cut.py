"""cut: layout operators at the tail that accumulators cannot pass stay outside.

`permute` takes the channels along; a reshape that splits them does not: there is no one axis any
more that has a scale each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from qflow.emulation.commute import DEQUANT, rearranges
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Unsupported, op
from qflow.emulation.rearrange import ACCUMULATOR, moved
from qflow.quantization.prepared import PreparedGraph, PreparedNode


def without_impossible_tails(graph: PreparedGraph) -> PreparedGraph:
    """The graph ending before such operators; their addresses are added to `outside`."""
    nodes = {n.id: n for n in graph.nodes}
    types: dict[str, TensorType | None] = {}
    gone: dict[str, str] = {}
    for node in graph.nodes:
        if node.op == DEQUANT:
            types[node.id] = _accumulator(nodes[node.inputs[0]], nodes)
        elif node.inputs and node.inputs[0] in types and rearranges(node):
            source = types[node.inputs[0]]
            try:
                if node.inputs[0] in gone:
                    raise Unsupported("what it reads is gone")
                types[node.id] = _moved(node, source)
            except Unsupported:
                types[node.id], gone[node.id] = None, node.inputs[0]
    if not gone:
        return graph

    def end(id_: str) -> str:
        while id_ in gone:
            id_ = gone[id_]
        return id_

    outputs = dict.fromkeys(
        # an output that is computed outside goes by what it is computed from
        (name, id_) if id_ not in gone else (end(id_), end(id_))
        for name, id_ in graph.outputs
    )
    return replace(
        graph,
        nodes=tuple(n for n in graph.nodes if n.id not in gone),
        outputs=tuple(outputs),
        outside=(*graph.outside, *(nodes[id_].address for id_ in gone)),
    )


def _accumulator(node: PreparedNode, nodes: Mapping[str, PreparedNode]) -> TensorType | None:
    """The type of a kept accumulator, with any scales; None for a tensor on one grid."""
    if node.out_dtype != ACCUMULATOR:
        return None
    while node.op == "identity":
        node = nodes[node.inputs[0]]
    axis = len(node.shape) - 1 if node.op == "linear" else 1
    scales = np.ones(node.shape[axis], np.float32)
    return TensorType(ACCUMULATOR, node.shape, scales, 0, axis)


def _moved(node: PreparedNode, source: TensorType | None) -> TensorType | None:
    if source is None:
        return None
    shape = op(node.op).shape(node.attributes, [source.shape])
    return moved(source, shape, node.attributes.get("dims"))

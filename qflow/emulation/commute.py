"""commute: layout operators behind a dequantize run before it, so that integers leave in the layout
the model gives its outputs in.

`conv -> dequantize -> permute` becomes `conv -> permute -> dequantize`: the same values, and the
tensor that leaves as integers, accumulators included, has its last shape.
"""

from __future__ import annotations

from dataclasses import replace

from qflow.emulation.op import op
from qflow.quantization.prepared import PreparedGraph, PreparedNode
from qflow.registry import names

DEQUANT = "dequant"


def commute(graph: PreparedGraph) -> PreparedGraph:
    """The same graph with every dequantize behind the layout operators that read it.

    A dequantize stays where it is for whatever else reads it. Ids of layout operators stay; a
    dequantize that is there for the second time is called `<id of what it reads>.dequant`.
    """
    return _Commuting(graph).result()


def rearranges(node: PreparedNode) -> bool:
    """Whether a node only moves the values of its one operand."""
    known = node.op in names("emulation.ops")
    return known and op(node.op).rearranges and len(node.inputs) == 1


class _Commuting:
    def __init__(self, graph: PreparedGraph) -> None:
        self._graph = graph
        self._nodes: list[PreparedNode] = []
        self._stubs: dict[str, PreparedNode] = {}
        """Id of a float tensor that is a dequantize, or one rearranged, to that dequantize."""
        self._integers: dict[str, str] = {}
        """Id of such a float tensor to the id of its integers."""
        self._floats: dict[str, str] = {}
        """The same to the dequantize that was made for it."""
        self._made: dict[str, PreparedNode] = {n.id: n for n in graph.nodes}

    def result(self) -> PreparedGraph:
        for node in self._graph.nodes:
            self._take(node)
        outputs = tuple((name, self._float(source)) for name, source in self._graph.outputs)
        return replace(self._graph, nodes=tuple(self._nodes), outputs=outputs)

    def _take(self, node: PreparedNode) -> None:
        if node.op == DEQUANT:
            self._stubs[node.id], self._integers[node.id] = node, node.inputs[0]
        elif node.inputs and node.inputs[0] in self._stubs and rearranges(node):
            self._rearrange(node)
        else:
            self._nodes.append(replace(node, inputs=tuple(map(self._float, node.inputs))))

    def _rearrange(self, node: PreparedNode) -> None:
        (read,) = node.inputs
        integers = self._integers[read]
        source = self._maker(integers)
        moved = replace(node, inputs=(integers,), grid=source.grid, out_dtype=source.out_dtype)
        self._nodes.append(moved)
        self._made[node.id] = moved
        self._stubs[node.id], self._integers[node.id] = self._stubs[read], node.id

    def _maker(self, id: str) -> PreparedNode:
        """The node that makes a tensor, also where it is a part of what that makes."""
        return self._made.get(id) or self._made[id.rpartition(":")[0]]

    def _float(self, source: str) -> str:
        """Id of a tensor, with its dequantize made where it has none yet."""
        stub = self._stubs.get(source)
        if stub is None:
            return source
        if source not in self._floats:
            taken = stub.id in self._floats.values()
            name = f"{source}.{DEQUANT}" if taken else stub.id
            shape = self._made[source].shape if source in self._made else stub.shape
            made = replace(stub, id=name, inputs=(self._integers[source],), shape=shape)
            self._nodes.append(made)
            self._floats[source] = name
        return self._floats[source]

"""shapes: of every tensor of an integer graph with a batch of a given size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import op
from qflow.emulation.profile import profile
from qflow.emulation.runtimes._calls import call_of, runs_as_nhwc

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph
    from qflow.emulation.op import Call

Shape = tuple[int, ...]


def shapes_of(graph: IntegerGraph, batch: int) -> dict[str, Shape]:
    """By node id, as every operator says of its own."""
    found: dict[str, Shape] = {}
    rule = profile(graph.profile)
    for node in graph.nodes:
        if node.op == "input":
            found[node.id] = (batch, *node.output.shape[1:])
            continue
        found[node.id] = _shape(call_of(graph, node, rule), [found[i] for i in node.inputs])
    return found


def _shape(call: Call, sources: list[Shape]) -> Shape:
    node = call.node
    attributes = dict(node.attributes)
    operator = op(attributes.pop("op")) if node.op == "island" else call.operator
    if node.op == "constant" and not sources:
        return tuple(call.constants["value"].shape)
    weight = tuple(call.constants["weight"].shape) if "weight" in call.constants else ()
    if not runs_as_nhwc(call):
        return tuple(int(n) for n in operator.shape(attributes, sources, weight))
    n, c, h, w = operator.shape(attributes, [(s[0], s[3], s[1], s[2]) for s in sources], weight)
    return n, h, w, c

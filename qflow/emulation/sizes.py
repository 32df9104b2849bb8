"""sizes: an integer graph for other image sizes than the traced one; and where that is impossible.

Only shapes differ between two sizes: operators, attributes and constants are the same, or a size
was taken for good where the graph was made. `baked` finds such places by a graph of another size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from qflow.diagnostics import Diagnostic, fail
from qflow.emulation.graph import IntegerGraph, Node, TensorType
from qflow.emulation.op import Call, Unsupported
from qflow.emulation.profile import profile
from qflow.emulation.steps.island import computed

Shape = tuple[int, ...]
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_FAILS = (ArithmeticError, IndexError, KeyError, TypeError, ValueError)


def baked(one: IntegerGraph, other: IntegerGraph) -> tuple[Node, ...]:
    """Nodes that two graphs of one model at two sizes do not have alike, in order."""
    made = other.by_id
    missing = [n for n in one.nodes if n.id not in made]
    differ = (n for n in one.nodes if n.id in made and not _alike(n, made[n.id], one, other))
    return (*missing, *differ)


def _alike(mine: Node, theirs: Node, one: IntegerGraph, other: IntegerGraph) -> bool:
    same = (mine.op, mine.inputs, mine.attributes) == (theirs.op, theirs.inputs, theirs.attributes)
    if not same or mine.constants != theirs.constants:
        return False
    keys = mine.constants.values()
    return all(np.array_equal(one.constants[k], other.constants[k]) for k in keys)


def at(graph: IntegerGraph, inputs: Mapping[str, Shape]) -> IntegerGraph:
    """The graph for inputs of these shapes, by name. Raises QflowError QF313 where they do not fit.

    Of a graph that is not made for any size it is the same graph.
    """
    if not graph.any_size:
        return graph
    asked = {i: inputs.get(graph.by_id[i].address, ()) for i in graph.inputs}
    if all(s[1:] == graph.by_id[i].output.shape[1:] for i, s in asked.items()):
        return graph
    for id, shape in asked.items():
        if len(shape) != len(graph.by_id[id].output.shape):
            return graph
    return replace(graph, nodes=tuple(_resized(graph, asked)))


def _resized(graph: IntegerGraph, asked: Mapping[str, Shape]) -> Iterator[Node]:
    rule, types = profile(graph.profile), dict[str, TensorType]()
    for node in graph.nodes:
        if node.op == "input":
            batch = node.output.shape[0]
            shape: Shape = (batch, *asked[node.id][1:])
        else:
            constants = {role: graph.constants[key] for role, key in node.constants.items()}
            call = Call(node, tuple(types[i] for i in node.inputs), constants, rule)
            try:
                shape = _shape(call)
            except (Unsupported, *_FAILS) as why:
                raise _does_not_fit(node, asked, str(why)) from None
        types[node.id] = replace(node.output, shape=shape)
        yield replace(node, output=types[node.id])


def _shape(call: Call) -> Shape:
    """What its operator says of operands of these shapes; of an island, what it computes."""
    node, operator = call.node, call.operator
    if node.op == "island":
        return computed(call, [np.zeros(s.shape, s.dtype) for s in call.sources]).shape
    shapes = [s.shape for s in call.sources]
    weight = call.constants["weight"].shape if "weight" in call.constants else ()
    turned = operator.image and node.output.layout == "nhwc"
    if turned:
        shapes = [tuple(s[d] for d in TO_NCHW) for s in shapes]
    found = operator.shape(node.attributes, shapes, weight)
    return tuple(found[d] for d in TO_NHWC) if turned else tuple(found)


def _does_not_fit(node: Node, asked: Mapping[str, Shape], why: str) -> Exception:
    sizes = ", ".join(f"`{i}` {list(s)}" for i, s in asked.items())
    text = f"`{node.address}` ({node.op}) does not run on inputs of this size: {why}"
    return fail(Diagnostic("QF313", text, notes=(f"given are {sizes}",)))

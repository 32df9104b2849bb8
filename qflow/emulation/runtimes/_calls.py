"""The nodes of a graph as calls, and its inputs checked: what both runtimes begin with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from qflow.diagnostics import Diagnostic, fail
from qflow.emulation.graph import IntegerGraph, Node
from qflow.emulation.op import Call
from qflow.emulation.profile import Profile, profile
from qflow.emulation.qtensor import QTensor
from qflow.emulation.runtimes._integers import quantized

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
"""Orders of axes that bring an image batch from the other layout."""


def calls(graph: IntegerGraph) -> tuple[Call, ...]:
    """One per node, in order."""
    rule = profile(graph.profile)
    return tuple(call_of(graph, node, rule) for node in graph.nodes)


def call_of(graph: IntegerGraph, node: Node, rule: Profile) -> Call:
    sources = tuple(graph.by_id[i].output for i in node.inputs)
    constants = {role: graph.constants[key] for role, key in node.constants.items()}
    return Call(node, sources, constants, rule)


def runs_as_nhwc(call: Call) -> bool:
    """Whether its images come with the channels last; the operator itself sees them first."""
    return call.operator.image and call.node.output.layout == "nhwc"


def given(graph: IntegerGraph, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Values by node id; raises QF313 where a name, rank, size or grid does not fit.

    A QTensor stands for the quantizes that read its input: its integers are theirs.
    """
    nodes = {graph.by_id[i].address: graph.by_id[i] for i in graph.inputs}
    if set(inputs) != set(nodes):
        message = f"the model takes {_words(nodes)}, and was given {_words(inputs)}"
        raise fail(Diagnostic("QF313", message))
    batches = {inputs[name].shape[0] if len(inputs[name].shape) else 0 for name in nodes}
    for name, node in nodes.items():
        shape = tuple(inputs[name].shape)
        if shape[1:] != node.output.shape[1:] or len(shape) != len(node.output.shape):
            expected = ("N", *node.output.shape[1:])
            message = f"input `{name}` must be {list(expected)}, and is {list(shape)}"
            raise fail(Diagnostic("QF313", message.replace("'", "")))
    if len(batches) > 1:
        raise fail(Diagnostic("QF313", f"inputs of different batch sizes: {sorted(batches)}"))
    found = {}
    for name, node in nodes.items():
        if isinstance(inputs[name], QTensor):
            found.update(quantized(graph, node, inputs[name]))
        else:
            found[node.id] = inputs[name]
    return found


def operands_of(node: Node, values: Mapping[str, Any]) -> list[Any]:
    """What a node runs on: of an input what was given, of a constant nothing."""
    return [values[node.id]] if node.op == "input" else [values[i] for i in node.inputs]


def to_run(node: Node, values: Mapping[str, Any]) -> bool:
    """Whether a node is still to be computed: not one that was given, nor the input before it."""
    return node.id in values if node.op == "input" else node.id not in values


def last_uses(graph: IntegerGraph, keep: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Per node the tensors that nothing reads after it."""
    unknown = [k for k in keep if k not in graph.by_id]
    if unknown:
        raise KeyError(f"the graph has no node {_words(unknown)}")
    wanted = {source for _, source in graph.outputs} | set(keep)
    last: dict[str, str] = {}
    for node in graph.nodes:
        for source in node.inputs:
            last[source] = node.id
    free: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for source, node_id in last.items():
        if source not in wanted:
            free[node_id].append(source)
    return {k: tuple(v) for k, v in free.items()}


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{n}`" for n in names) or "nothing"

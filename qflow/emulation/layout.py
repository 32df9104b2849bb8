"""Layout: convolutions and pools take the channels last, with as few transposes as are needed."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from qflow.diagnostics import Diagnostic, fail
from qflow.emulation.graph import IntegerGraph, Node, TensorType
from qflow.emulation.op import runnable
from qflow.emulation.profile import profile

TO_NHWC, TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)
"""`dims` of the permutes that bring an image batch into a layout."""
DIMS = {"nhwc": TO_NHWC, "nchw": TO_NCHW}


def lay_out(graph: IntegerGraph, layout: str) -> IntegerGraph:
    """The same integers with images in `layout`; outputs keep the model's.

    `graph` is as lowering makes it, in nchw. Transposes that stay are `permute` nodes and listed in
    `notes`. Raises QF503 for a layout other than nchw and nhwc.
    """
    if layout not in DIMS:
        raise fail(Diagnostic("QF503", f"layout `{layout}` is unknown", help="use nchw or nhwc"))
    if layout == "nchw":
        return graph
    nodes = _joined(_placed(graph))
    kept = _reachable(nodes, [source for _, source in graph.outputs], graph)
    notes = tuple(_note(n, kept) for n in kept if _is_inserted(n, graph))
    used = {key for node in kept for key in node.constants.values()}
    constants = {k: v for k, v in graph.constants.items() if k in used}
    bits = {k: v for k, v in graph.bits.items() if k in used}
    return replace(graph, nodes=kept, constants=constants, notes=graph.notes + notes, bits=bits)


def turned(type: TensorType, dims: tuple[int, ...], layout: str) -> TensorType:
    """The type behind a permute."""
    axis = None if type.axis is None else dims.index(type.axis)
    return replace(type, shape=tuple(type.shape[d] for d in dims), axis=axis, layout=layout)


def _placed(graph: IntegerGraph) -> list[Node]:
    """Every node in its layout, with a permute wherever a reader wants another one."""
    nodes: list[Node] = []
    native: dict[str, str] = {}
    made: dict[tuple[str, str], str] = {}
    types: dict[str, TensorType] = {}

    def emit(node: Node) -> None:
        nodes.append(node)
        types[node.id] = node.output

    def wanted(source: str, layout: str, reader: Node) -> str:
        """Id of the tensor in that layout."""
        if native[source] == layout or len(types[source].shape) != 4:
            return source
        if (source, layout) not in made:
            name = f"{source}.{layout}"
            output = turned(types[source], DIMS[layout], layout)
            emit(Node(name, reader.address, "permute", (source,), output, {"dims": DIMS[layout]}))
            made[source, layout] = name
        return made[source, layout]

    own = profile(graph.profile).own
    for node in graph.nodes:
        operator = runnable(node.op, own)
        sources = {native[i] for i in node.inputs}
        images = all(len(types[i].shape) == 4 for i in node.inputs)
        follows = (operator.any_layout or node.op == "cat") and "nhwc" in sources and images
        layout = "nhwc" if (operator.image and images) or follows else "nchw"
        inputs = tuple(wanted(i, layout, node) for i in node.inputs)
        native[node.id] = layout
        if layout == "nchw":
            emit(replace(node, inputs=inputs))
            continue
        attributes: dict[str, Any] = dict(node.attributes)
        if "dim" in attributes:
            attributes["dim"] = TO_NHWC.index(attributes["dim"])
        output = turned(node.output, TO_NHWC, "nhwc")
        emit(replace(node, inputs=inputs, output=output, attributes=attributes))
    return nodes


def _joined(nodes: list[Node]) -> list[Node]:
    """A permute of a permute reads the first one's source; one that undoes the other does nothing.

    So does a flatten of a permute that moves no values; identities between them change nothing.
    """
    by_id: dict[str, Node] = {}
    result = []
    for original in nodes:
        node = original
        if node.op in ("permute", "flatten"):
            node = _through(node, by_id)
        by_id[node.id] = node
        result.append(node)
    return result


def _through(node: Node, by_id: dict[str, Node]) -> Node:
    """`node` reading past the permutes and identities before it, where that gives the same."""
    source = by_id[node.inputs[0]]
    while source.op == "identity":
        source = by_id[source.inputs[0]]
    if source.op != "permute":
        return node
    before = by_id[source.inputs[0]].output.shape
    if node.op == "flatten":
        batch_first = source.attributes["dims"][0] == 0
        whole = (
            batch_first
            and node.attributes["start"] == 1
            and node.attributes["end"] == len(before) - 1
        )
        return (
            replace(node, inputs=source.inputs)
            if whole and _moves_nothing(source, before)
            else node
        )
    dims = tuple(source.attributes["dims"][d] for d in node.attributes["dims"])
    if dims == tuple(range(len(dims))):
        return replace(node, op="identity", inputs=source.inputs, attributes={})
    return replace(node, inputs=source.inputs, attributes={"dims": dims})


def _moves_nothing(permute: Node, before: tuple[int, ...]) -> bool:
    """Whether the axes with more than one value keep their order."""
    moved = [d for d in permute.attributes["dims"] if before[d] != 1 or d == 0]
    return moved == sorted(moved) and prod(before) == prod(permute.output.shape)


def _reachable(nodes: list[Node], ends: list[str], graph: IntegerGraph) -> tuple[Node, ...]:
    """Without the inserted nodes that nothing reads any more."""
    read = set(ends)
    kept = []
    for node in reversed(nodes):
        if node.id in read or not _is_inserted(node, graph):
            read |= set(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


def _is_inserted(node: Node, graph: IntegerGraph) -> bool:
    return node.id not in graph.by_id


def _note(node: Node, nodes: tuple[Node, ...]) -> str:
    readers = ", ".join(f"`{n.id}`" for n in nodes if node.id in n.inputs)
    return f"{node.id}: a transpose stays between `{node.inputs[0]}` and {readers}"

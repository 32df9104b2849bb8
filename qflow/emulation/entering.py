"""entering: where an operator of the integer model reads floats, a quantize is put before it.

The plan says on which grid; what keeps the grid of its operands takes that of its own output: it
only moves values or picks the largest, so rounding before it is rounding behind it.
"""

from __future__ import annotations

from dataclasses import replace

from qflow.emulation.op import op
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode
from qflow.registry import names

FLOAT = "float32"
BORDER = ("input", "quant", "dequant", "constant")
"""Operators that read floats, or nothing, whatever they give."""


def entered(graph: PreparedGraph) -> PreparedGraph:
    """The same graph, with a quantize before every operand that comes as floats and has a grid."""
    made = {n.id: n for n in graph.nodes}
    floats = {n.id for n in graph.nodes if _gives_floats(n)}
    nodes: list[PreparedNode] = []
    for node in graph.nodes:
        if node.op in BORDER or node.out_dtype == FLOAT:
            nodes.append(node)
            continue
        inputs, grids = list(node.inputs), list(node.input_grids)
        for i, source in enumerate(node.inputs):
            grid = _grid(node, i)
            if grid is None or _whole(source) not in floats:
                continue
            inputs[i] = f"{node.id}.operand{i}"
            nodes.append(_stub(inputs[i], node, source, made[_whole(source)], grid))
            if i < len(grids):
                grids[i] = None
        nodes.append(replace(node, inputs=tuple(inputs), input_grids=tuple(grids)))
    return replace(graph, nodes=tuple(nodes))


def _gives_floats(node: PreparedNode) -> bool:
    return node.out_dtype == FLOAT or node.op == "dequant"


def _grid(node: PreparedNode, slot: int) -> Grid | None:
    """What the plan brings an operand to; None where it says nothing."""
    if slot < len(node.input_grids) and node.input_grids[slot] is not None:
        return node.input_grids[slot]
    known = node.op in names("emulation.ops")
    return node.grid if known and op(node.op).shares_scale else None


def _whole(id: str) -> str:
    """Of a part the tensor it is one of."""
    return id.partition(":")[0]


def _stub(id: str, node: PreparedNode, source: str, read: PreparedNode, grid: Grid) -> PreparedNode:
    return PreparedNode(
        id,
        node.address,
        "quant",
        (source,),
        grid=grid,
        out_dtype=grid.dtype.name,
        shape=read.shape,
        free=read.free,
    )

"""settle: a prepared graph with the grids the Sophgo compiler works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.sophgo.canonical import absorb_constants
from qflow.emulation.sophgo.propagation import (
    Family,
    Kind,
    RangeNode,
    Span,
    propagate_ranges,
    scale_of,
    span_of_row,
)
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode

KINDS: Mapping[str, Kind] = {
    "abs": "abs",
    "adaptive_avg_pool2d": "avg_pool",
    "add": "add",
    "amax": "reduce_extreme",
    "amin": "reduce_extreme",
    "avg_pool2d": "avg_pool",
    "cat": "concat",
    "channel_shuffle": "slice",
    "chunk": "slice",
    "expand": "tile",
    "flatten": "reshape",
    "identity": "squeeze",
    "leaky_relu": "leaky_relu",
    "max_pool2d": "max_pool",
    "maximum": "max",
    "minimum": "min",
    "mul": "mul",
    "neg": "mul_const",
    "pad": "pad",
    "permute": "permute",
    "pixel_shuffle": "depth_to_space",
    "prelu": "prelu",
    "relu": "relu",
    "relu6": "relu",
    "repeat": "tile",
    "reshape": "reshape",
    "roll": "slice",
    "sigmoid": "sigmoid",
    "slice": "slice",
    "softmax": "softmax",
    "split": "slice",
    "squeeze": "squeeze",
    "stack": "concat",
    "sub": "sub",
    "unbind": "slice",
    "unsqueeze": "squeeze",
}
"""Kind of an operator, where its form does not decide it."""


STAYS_FLOAT = "stays_float"
"""Attribute of a node that the compiler keeps in floats because of its rows in the table."""


def settle(graph: PreparedGraph, family: Family) -> PreparedGraph:
    """The graph with propagated grids; constant operands are absorbed into what reads them.

    Every grid is float64 [1] of int8 or uint8, as the compiler has it, and `input_grids` are those
    of what a node reads: rescales between grids are the operators' own affair. A threshold is
    `scale * 127`, or `scale * 255` of an unsigned grid; `Grid.lowest` says whether the tensor was
    ever negative, and where it is None the grid's dtype does.
    """
    graph = absorb_constants(graph)
    on_grid = {n.id: n for n in graph.nodes if n.grid is not None and n.op != "constant"}
    nodes = [_range_node(n, on_grid) for n in on_grid.values()]
    outputs = [
        _base(n.inputs[0])
        for n in graph.nodes
        if n.op == "dequant" and _base(n.inputs[0]) in on_grid
    ]
    spans = propagate_ranges(nodes, outputs, family)
    grids = {name: _grid(on_grid[name], span, family) for name, span in spans.items()}
    rows = {n.id: n.span[1] for n in nodes if n.span is not None}
    settled = [_settled(n, grids) for n in graph.nodes]
    if family != "q31":
        settled = [_kept_float(n, rows) for n in settled]
    return replace(graph, nodes=tuple(settled))


def _settled(node: PreparedNode, grids: Mapping[str, Grid]) -> PreparedNode:
    grid = grids.get(node.id)
    if grid is None:
        return replace(node, input_grids=())
    sources = () if node.op == "quant" else tuple(grids.get(_base(i)) for i in node.inputs)
    return replace(node, grid=grid, out_dtype=grid.dtype.name, input_grids=sources)


def _kept_float(node: PreparedNode, rows: Mapping[str, float]) -> PreparedNode:
    """A difference whose row is below that of a tensor it reads is said to stay float."""
    if node.op != "sub" or "scalar" in node.attributes or node.id not in rows:
        return node
    if all(rows.get(_base(i), 0.0) <= rows[node.id] for i in node.inputs):
        return node
    return replace(node, attributes={**node.attributes, STAYS_FLOAT: True})


def _grid(node: PreparedNode, span: Span, family: Family) -> Grid:
    scale, signed = scale_of(span, family)
    dtype = DTYPES["int8" if signed else "uint8"]
    assert node.grid is not None
    return replace(node.grid, dtype=dtype, scale=np.array([scale], np.float64), zero_point=0)


def _range_node(node: PreparedNode, on_grid: Mapping[str, PreparedNode]) -> RangeNode:
    grid = node.grid
    assert grid is not None
    threshold = float(grid.scale.reshape(-1)[0]) * grid.dtype.qmax
    least = grid.lowest if grid.lowest is not None else float(grid.dtype.qmin)
    inputs = tuple(_base(i) for i in node.inputs if _base(i) in on_grid)
    return RangeNode(
        node.id,
        _kind(node),
        () if node.op == "quant" else inputs,
        span_of_row(threshold, least),
        node.activation is not None,
        _constants(node),
    )


def _kind(node: PreparedNode) -> Kind:
    attributes = node.attributes
    if node.op == "mean":
        pooled = tuple(attributes["dims"]) == tuple(range(2, len(node.shape) or 4))
        return "avg_pool" if pooled else "other"
    if node.op == "upsample":
        return "upsample" if attributes["mode"] == "nearest" else "other"
    if node.op == "clamp":
        return "relu" if attributes["low"] == 0 else "other"
    if node.op in ("maximum", "minimum") and node.weight is not None and node.weight.size == 1:
        return "max_const" if node.op == "maximum" else "min_const"
    if "scalar" in attributes:
        reflected = bool(attributes.get("reflected"))
        if node.op == "mul" or (node.op == "div" and not reflected):
            return "mul_const"
        return "sub_const" if node.op == "sub" and reflected else "other"
    return KINDS.get(node.op, "other")


def _constants(node: PreparedNode) -> tuple[float, ...]:
    if node.op == "neg":
        return (-1.0,)
    if "scalar" in node.attributes and node.op in ("mul", "div"):
        scalar = float(node.attributes["scalar"])
        return (scalar,) if node.op == "mul" else (1.0 / scalar,)
    # what operators hold many values of; a convolution's weight is none of them
    return (float("nan"),) if "constant" in node.attributes else ()


def _base(name: str) -> str:
    """The node whose part a reader names: `split:1` is a part of `split`."""
    head, _, part = name.rpartition(":")
    return head if head and part.isdigit() else name

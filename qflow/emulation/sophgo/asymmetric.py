"""The zero point of BM1684: the larger or smaller of two tensors has one in symmetric mode too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode

EXTREMES = ("maximum", "minimum")
ZERO_POINT, STEPS = -1, 255


def with_zero_points(graph: PreparedGraph) -> PreparedGraph:
    """Signed results of maximum and minimum on `(max - min) / 255`, zero point -1.

    The integers are those of the operands, which is what the device computes; only what reads them
    as numbers sees the difference.
    """
    changed = {n.id: _grid(n.grid) for n in graph.nodes if _concerns(n) and n.grid is not None}
    return replace(graph, nodes=tuple(_settled(n, changed) for n in graph.nodes))


def _concerns(node: PreparedNode) -> bool:
    signed = node.grid is not None and node.grid.dtype.name == "int8"
    return node.op in EXTREMES and len(node.inputs) == 2 and signed


def _grid(grid: Grid) -> Grid:
    top = float(grid.scale.reshape(-1)[0]) * grid.dtype.qmax
    return replace(grid, scale=np.array([2 * top / STEPS]), zero_point=ZERO_POINT)


def _settled(node: PreparedNode, changed: dict[str, Grid]) -> PreparedNode:
    grids = tuple(
        changed.get(name, grid) for name, grid in zip(node.inputs, node.input_grids, strict=False)
    )
    return replace(node, grid=changed.get(node.id, node.grid), input_grids=grids)

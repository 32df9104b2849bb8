"""Scales of a node as the compiler has them: float64, from the grids that `settle` left."""

from __future__ import annotations

from qflow.emulation.builder import NoScale
from qflow.quantization.prepared import Grid, PreparedNode


def source_scale(node: PreparedNode, index: int) -> float:
    """Scale of an operand. Raises NoScale."""
    grid = node.input_grids[index] if index < len(node.input_grids) else None
    return _scale(grid, f"its operand `{node.inputs[index]}`")


def target_scale(node: PreparedNode) -> float:
    """Scale of the output. Raises NoScale."""
    return _scale(node.grid, "its output")


def _scale(grid: Grid | None, what: str) -> float:
    if grid is None:
        raise NoScale(f"{what} was never observed")
    found = float(grid.scale.reshape(-1)[0])
    if not 0 < found < float("inf"):
        raise NoScale(f"the scale of {what} is not a number above 0")
    return found

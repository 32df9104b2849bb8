"""What the operators of BM1684 and CV18xx read from a settled node: limits, parameters."""

from __future__ import annotations

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import NotFinite
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Range, Unsupported
from qflow.emulation.sophgo import grids as grids_of
from qflow.quantization.prepared import PreparedNode

RELUS = ("relu", "relu6")
"""What may be fused behind an operator. The compiler drops the 6: only the threshold clamps."""


def source_scale(node: PreparedNode, index: int) -> float:
    """Scale of an operand in float64. Raises NoScale, and Unsupported for one with a zero point."""
    grids = node.input_grids
    if index < len(grids) and (grid := grids[index]) is not None and grid.zero_point != 0:
        raise Unsupported("its operand has a zero point: what the target makes of it is not known")
    return grids_of.source_scale(node, index)


def limits(node: PreparedNode, target: TensorType) -> dict[str, int]:
    """Attributes `low` and `high`: the range of the output's dtype, from 0 behind a relu."""
    low, high = clamp(node, target)
    return {"low": low, "high": high}


def clamp(node: PreparedNode, target: TensorType) -> Range:
    if node.activation is not None and node.activation not in RELUS:
        raise Unsupported(f"`{node.activation}` cannot run behind it")
    dtype = DTYPES[target.dtype]
    return (dtype.qmin if node.activation is None else 0), dtype.qmax


def finite(values: np.ndarray | None, what: str) -> np.ndarray | None:
    """The values. Raises NotFinite."""
    if values is not None and not np.all(np.isfinite(values)):
        raise NotFinite(f"its {what} is not finite")
    return values


def required(values: np.ndarray | None, what: str) -> np.ndarray:
    """The same of what must be there. Raises NotFinite, Unsupported."""
    found = finite(values, what)
    if found is None:
        raise Unsupported(f"it has no {what}")
    return found


def no_residual(node: PreparedNode) -> None:
    """Raises Unsupported where a sum is fused into a product: these compilers do not."""
    if node.residual:
        raise Unsupported("a sum is fused behind it: its compiler adds in an operator of its own")


def integers(*values: object) -> np.ndarray:
    """An int32 constant [count]."""
    return np.array(values, np.int64).reshape(-1).astype(np.int32)

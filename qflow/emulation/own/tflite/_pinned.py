"""Operators of TFLite that write one grid only: to another one a rescale follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import Builder, same_grid
from qflow.emulation.graph import TensorType

if TYPE_CHECKING:
    from qflow.quantization.prepared import PreparedNode


def emit(
    node: PreparedNode,
    build: Builder,
    output: TensorType,
    grid: TensorType,
    attributes: Mapping[str, Any],
    constants: Mapping[str, np.ndarray] | None = None,
    clamped: bool = True,
) -> None:
    """Emit `node` on the dtype, scale and zero point of `grid`, and a rescale to `output`.

    Attributes get `low` and `high` where `clamped`; they are those of the last node emitted.
    """
    clamp = build.clamp(node, output)
    if same_grid(grid, output):
        limits = clamp if clamped else {}
        build.emit(node, node.op, node.inputs, output, {**attributes, **limits}, constants)
        return
    kind = DTYPES[grid.dtype]
    limits = {"low": kind.qmin, "high": kind.qmax} if clamped else {}
    between = replace(output, dtype=grid.dtype, scale=grid.scale, zero_point=grid.zero_point)
    place = f"{node.id}.own"
    made = build.emit(
        node, node.op, node.inputs, between, {**attributes, **limits}, constants, id=place
    )
    rescale = build.profile.requantize_constants(between, output)
    build.emit(node, "rescale", (made,), output, clamp, rescale)

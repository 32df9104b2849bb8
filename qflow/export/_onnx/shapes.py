"""shapes: reshapes with a free batch, and operators that only move values on one grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from qflow.emulation.graph import Node
    from qflow.export._onnx.builder import Builder
    from qflow.export._onnx.emit import Context


def reshape(builder: Builder, real: str, shape: tuple[int, ...], output: str) -> str:
    """Append a Reshape; -1 is the free dimension. Returns the name of its output."""
    stored = builder.constant(f"{output}/shape", np.asarray(shape, np.int64))
    return builder.step("Reshape", (real, stored), output)


def moved(node: Node, context: Context, op: str, **attributes: Any) -> None:
    """Append an operator that moves values: its output lies on the grid of its inputs."""
    builder = context.builder
    sources = [builder.real(i) for i in node.inputs]
    real = builder.step(op, sources, f"{node.id}/{op.lower()}", **attributes)
    builder.quantize(node.id, real, node.output)

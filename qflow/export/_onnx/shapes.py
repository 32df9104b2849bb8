"""shapes: reshapes with a free batch, and operators that only move values on one grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.export._onnx.attributes import keeps_accumulator
from qflow.export._onnx.builder import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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

    def step(sources: Sequence[str]) -> str:
        return builder.step(op, sources, f"{node.id}/{op.lower()}", **attributes)

    if keeps_accumulator(node):
        accumulator(node, context, lambda source: step((source,)))
        return
    builder.quantize(node.id, step([builder.real(i) for i in node.inputs]), node.output)


def accumulator(node: Node, context: Context, step: Callable[[str], str]) -> None:
    """Move a kept accumulator: its integers where they leave the graph, else its real values."""
    builder, (source,) = context.builder, node.inputs
    if node.id in context.integers:
        builder.values[node.id] = Value(node.output, integer=step(builder.integer(source)))
    else:
        builder.values[node.id] = Value(node.output, real=step(builder.real(source)))

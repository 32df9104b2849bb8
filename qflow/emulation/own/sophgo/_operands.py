"""Operands: shapes that broadcast, what an output is clamped to, what a constant may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Range, Unsupported

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.emulation.graph import TensorType
    from qflow.quantization.prepared import PreparedNode


TWO = "two"
"""The form of a node whose operands are two tensors; of the others one is a constant of its own."""


def of_form(attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Shape of the result. Raises Unsupported where `form` is not that of so many operands."""
    if (attributes["form"] == TWO) != (len(shapes) == 2):
        raise Unsupported(f"of the form `{attributes['form']}` with {len(shapes)} operands")
    return broadcast([*shapes])


def broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The common shape. Raises Unsupported."""
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        raise Unsupported(f"shapes {shapes} do not broadcast") from None


def limits(node: PreparedNode, build: Builder, output: TensorType) -> Range:
    """What the output is clamped to. A limit of a relu is dropped: only the threshold clamps."""
    whole = build.clamp(replace(node, activation=None), output)
    return (0 if node.activation is not None else whole["low"]), whole["high"]


def value_shape(call: Call) -> tuple[int, ...]:
    """The constant's own shape, as long as it broadcasts and adds no axis to the batch."""
    shape = call.constants["value"].shape if "value" in call.constants else ()
    source = call.sources[0].shape
    fits = len(shape) <= len(source) and broadcast([shape, source]) == call.node.output.shape
    free = len(shape) < len(source) or shape[0] == 1
    return shape if fits and free else source


def reach(values: Range) -> int:
    """Largest magnitude in a range."""
    return max(abs(values[0]), abs(values[1]))

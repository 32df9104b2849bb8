"""rearrange: how operators that only move values are lowered, on a grid or on an accumulator.

An accumulator keeps its integers; the scale of each channel moves along with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from qflow.emulation.builder import Builder, image_layout, scale
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Unsupported, op
from qflow.quantization.prepared import PreparedNode

ACCUMULATOR = "int32"


def emit(
    node: PreparedNode,
    build: Builder,
    attributes: Mapping[str, Any],
    dims: tuple[int, ...] | None = None,
) -> None:
    """Emit `node`. `dims` are those of a permute; without them the values keep their order."""
    operator, source = op(node.op, build.profile.own), build.types[node.inputs[0]]
    if source.dtype == ACCUMULATOR:
        shape = operator.shape(attributes, [source.shape])
        build.emit(node, node.op, node.inputs, moved(source, shape, dims), attributes)
        return
    name = build.on_grid(node, 0)
    shape = operator.shape(attributes, [build.types[name].shape])
    build.emit(node, node.op, (name,), build.output_type(node, shape), attributes)


def moved(
    source: TensorType, shape: tuple[int, ...], dims: tuple[int, ...] | None = None
) -> TensorType:
    """The type behind the operator. Raises Unsupported where no one axis has the channels."""
    plain = replace(source, shape=shape, layout=image_layout(shape))
    if source.axis is None:
        return plain
    if dims is not None:
        return replace(plain, axis=dims.index(source.axis))
    axis, repeats, tiles = _kept(source.shape, source.axis, shape)
    return replace(plain, axis=axis, scale=np.tile(np.repeat(scale(source), repeats), tiles))


def _kept(before: tuple[int, ...], axis: int, after: tuple[int, ...]) -> tuple[int, int, int]:
    """The axis that has the channels after a reshape, alone or merged with neighbours.

    Behind it, how often each scale is repeated (axes merged behind the channels) and the whole
    tiled (axes merged before them).
    """
    outside, within = prod(before[:axis]), prod(before[: axis + 1])
    for i in range(1, len(after)):
        first, last = prod(after[:i]), prod(after[: i + 1])
        # a step along this axis stays in one channel, and its whole length covers all of them
        if outside % first == 0 and last % within == 0:
            return i, last // within, outside // first
    raise Unsupported(
        f"a reshape of {before} to {after} splits the channels, which have a scale each: "
        "do it outside of the model"
    )

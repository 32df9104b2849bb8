"""rearrange: how operators that only move values are lowered: on a grid, on an accumulator, on
whole numbers.

An accumulator keeps its integers; the scale of each channel moves along with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    name: str = "",
    id: str | None = None,
) -> None:
    """Emit `node`. `dims` are those of a permute; without them the values keep their order.

    `name` is that of another operator which stands for the node's, `id` that of a part of it.
    Raises Unsupported where an operator that does not just rearrange reads scales per channel.
    """
    operator = op(name or node.op, build.profile.own)
    (source,) = on_one_grid(node, build, (0,))
    before = build.types[source]
    shape = operator.shape(attributes, [before.shape])
    if before.axis is not None and not operator.rearranges:
        raise Unsupported("its operand has a scale per channel: only a change of layout keeps them")
    after = moved(before, shape, dims, node.free)
    build.emit(node, operator.name, (source,), after, attributes, id=id)


def on_one_grid(node: PreparedNode, build: Builder, indices: Iterable[int]) -> tuple[str, ...]:
    """Ids of operands on the grid of the output; whole numbers and accumulators as they come.

    Raises Unsupported where such lie beside tensors of another kind.
    """
    indices = tuple(indices)
    sources = [build.types[node.inputs[i]] for i in indices]
    if not any(s.dtype == ACCUMULATOR for s in sources):
        return tuple(build.on_grid(node, i) for i in indices)
    first = sources[0]
    for other in sources:
        kind = (other.dtype, other.axis) == (first.dtype, first.axis)
        if not kind or not np.array_equal(other.scale, first.scale):  # type: ignore[arg-type]
            raise Unsupported("its operands are of several kinds, and int32 is on no common grid")
    return tuple(node.inputs[i] for i in indices)


def moved(
    source: TensorType,
    shape: tuple[int, ...],
    dims: tuple[int, ...] | None = None,
    free: tuple[int, ...] = (0,),
) -> TensorType:
    """The type behind the operator. Raises Unsupported where no one axis has the channels.

    `free` are axes of `shape` that follow the batch: no axis of channels is among them.
    """
    plain = replace(source, shape=shape, layout=image_layout(shape))
    if source.axis is None:
        return plain
    if dims is not None:
        return replace(plain, axis=dims.index(source.axis))
    axis, repeats, tiles = _kept(source.shape, source.axis, shape, free)
    return replace(plain, axis=axis, scale=np.tile(np.repeat(scale(source), repeats), tiles))


def _kept(
    before: tuple[int, ...], axis: int, after: tuple[int, ...], free: tuple[int, ...]
) -> tuple[int, int, int]:
    """The axis that has the channels after a reshape, alone or merged with neighbours.

    Behind it, how often each scale is repeated (axes merged behind the channels) and the whole
    tiled (axes merged before them).
    """
    outside, within = prod(before[:axis]), prod(before[: axis + 1])
    for i in (d for d in range(len(after)) if d not in free):
        first, last = prod(after[:i]), prod(after[: i + 1])
        # a step along this axis stays in one channel, and its whole length covers all of them
        if outside % first == 0 and last % within == 0:
            return i, last // within, outside // first
    raise Unsupported(
        f"a reshape of {before} to {after} splits the channels, which have a scale each: "
        "do it outside of the model"
    )

"""moves: operators that put values elsewhere; not one integer is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from qflow.export._tflite.context import Context, refused
from qflow.export._tflite.model import Tensor

if TYPE_CHECKING:
    from qflow.emulation.graph import Node

END = 0x7FFFFFFF
TO_NHWC = (0, 2, 3, 1)


def reshaped(node: Node, context: Context) -> None:
    """RESHAPE: of flatten, squeeze and unsqueeze too."""
    shape = context.ints(node, "shape", context.shapes[node.id])
    inputs = [context.values(node.inputs[0]), shape]
    context.finish(node, context.put("RESHAPE", inputs, context.like(node), "Reshape"))


def permuted(node: Node, context: Context) -> None:
    """TRANSPOSE; nothing where an image came with the channels last, as it is wanted."""
    (source,), dims = node.inputs, tuple(node.attributes["dims"])
    if dims == TO_NHWC and source in context.last:
        context.finish(node, context.last[source])
        return
    inputs = [context.values(source), context.ints(node, "dims", dims)]
    context.finish(node, context.put("TRANSPOSE", inputs, context.like(node), "Transpose", 2))


def sliced(node: Node, context: Context) -> None:
    """STRIDED_SLICE, and a RESHAPE where axes of one value go."""
    a, source = node.attributes, context.values(node.inputs[0])
    ends = zip(a["starts"], a["stops"], a["steps"], source.shape, strict=False)
    ranges = [slice(b, None if e == END else e, s).indices(n) for b, e, s, n in ends]
    rest = [(0, n, 1) for n in source.shape[len(ranges) :]]
    places = [*ranges, *rest]
    taken = tuple(len(range(*p)) for p in places)
    shape = context.shapes[node.id]
    made = context.like(node, "" if taken == shape else f"{node.id}/part", shape=taken)
    parts = [
        context.ints(node, w, [p[i] for p in places]) for i, w in enumerate(("from", "to", "by"))
    ]
    found = context.put("STRIDED_SLICE", [source, *parts], made, "StridedSlice", 2)
    if taken != shape:
        target = context.ints(node, "shape", shape)
        found = context.put("RESHAPE", [found, target], context.like(node), "Reshape")
    context.finish(node, found)


def joined(node: Node, context: Context) -> None:
    """CONCATENATION, and PACK of stack."""
    inputs, axis = context.inputs(node), int(node.attributes["dim"])
    if len(inputs) == 1:
        context.finish(node, inputs[0])
        return
    output = context.like(node)
    if node.op == "stack":
        made = context.put("PACK", inputs, output, "Pack", 2, valuesCount=len(inputs), axis=axis)
    else:
        made = context.put("CONCATENATION", inputs, output, "Concatenation", 2, axis=axis)
    context.finish(node, made)


def padded(node: Node, context: Context) -> None:
    """PAD with zeros, PADV2 with another number, MIRROR_PAD; other borders are refused."""
    a, source = node.attributes, context.values(node.inputs[0])
    sides = tuple(a["sides"])
    rank = len(source.shape)
    around = [(0, 0)] * rank
    for i in range(len(sides) // 2):
        around[rank - 1 - i] = (sides[2 * i], sides[2 * i + 1])
    if node.output.layout == "nhwc" and rank == 4:
        around = [around[i] for i in TO_NHWC]
    if any(n < 0 for pair in around for n in pair):
        raise refused(node, "PAD cuts nothing off")
    inputs = [source, context.ints(node, "pads", around)]
    output = context.like(node)
    if a["mode"] == "reflect":
        context.finish(node, context.put("MIRROR_PAD", inputs, output, "MirrorPad", 2, mode=0))
        return
    if a["mode"] != "constant":
        raise refused(node, f"TFLite pads with no `{a['mode']}`")
    value = context.role(node, "value")
    grid = {"scale": source.scale, "zero_point": source.zero_point}
    inputs.append(context.constant(f"{node.id}/value", value.reshape(1), **grid))
    context.finish(node, context.put("PADV2", inputs, output, "PadV2", 2))


def expanded(node: Node, context: Context) -> None:
    """BROADCAST_TO."""
    inputs = [context.values(node.inputs[0]), context.ints(node, "shape", context.shapes[node.id])]
    context.finish(node, context.put("BROADCAST_TO", inputs, context.like(node), "BroadcastTo", 2))


def repeated(node: Node, context: Context) -> None:
    """TILE."""
    inputs = [context.values(node.inputs[0]), context.ints(node, "times", node.attributes["times"])]
    context.finish(node, context.put("TILE", inputs, context.like(node), "Tile", 2))


def rolled(node: Node, context: Context) -> None:
    """Two STRIDED_SLICEs and a CONCATENATION per axis."""
    a, found = node.attributes, context.values(node.inputs[0])
    for i, (shift, axis) in enumerate(zip(a["shifts"], a["dims"], strict=True)):
        size = found.shape[axis]
        cut = (size - shift % size) % size
        if cut:
            parts = [
                _part(node, context, found, axis, *ends, f"roll{i}/{ends[0]}")
                for ends in ((cut, size), (0, cut))
            ]
            made = context.like(node, f"{node.id}/roll{i}", shape=found.shape)
            found = context.put("CONCATENATION", parts, made, "Concatenation", 2, axis=axis)
    context.finish(node, found)


def channel_shuffled(node: Node, context: Context) -> None:
    """RESHAPE, TRANSPOSE, RESHAPE; channels are on axis 1, or last."""
    source, groups = context.values(node.inputs[0]), int(node.attributes["groups"])
    shape = source.shape
    axis = 3 if node.output.layout == "nhwc" and len(shape) == 4 else 1
    apart = (*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])
    dims = list(range(len(apart)))
    dims[axis], dims[axis + 1] = dims[axis + 1], dims[axis]
    turned = tuple(apart[d] for d in dims)
    one = context.like(node, f"{node.id}/groups", shape=apart)
    context.put("RESHAPE", [source, context.ints(node, "groups/shape", apart)], one, "Reshape")
    two = context.like(node, f"{node.id}/turned", shape=turned)
    context.put("TRANSPOSE", [one, context.ints(node, "dims", dims)], two, "Transpose", 2)
    target = context.ints(node, "shape", shape)
    context.finish(node, context.put("RESHAPE", [two, target], context.like(node), "Reshape"))


def embedded(node: Node, context: Context) -> None:
    """GATHER of the table."""
    grid = {"scale": node.output.scale, "zero_point": node.output.zero_point}
    rows = context.constant(f"{node.id}.weight", context.role(node, "weight"), **grid)
    inputs = [rows, context.values(node.inputs[0])]
    context.finish(node, context.put("GATHER", inputs, context.like(node), "Gather", 2, axis=0))


def constant(node: Node, context: Context) -> None:
    """A constant tensor, once for each sample where it has a batch."""
    value = context.role(node, "value")
    shape = context.shapes[node.id]
    times = [n // m for n, m in zip(shape, value.shape, strict=True)]
    type_ = node.output
    made = Tensor(
        context.name(node.id),
        value.dtype.name,
        shape,
        type_.scale,
        type_.zero_point,
        0,
        np.tile(value, times),
    )
    context.finish(node, made)


def _part(
    node: Node, context: Context, x: Tensor, axis: int, start: int, stop: int, what: str
) -> Tensor:
    shape: Sequence[int] = [stop - start if i == axis else n for i, n in enumerate(x.shape)]
    begin = [start if i == axis else 0 for i in range(len(shape))]
    made = context.like(node, f"{node.id}/{what}", shape=tuple(shape))
    inputs = [
        x,
        context.ints(node, f"{what}/from", begin),
        context.ints(node, f"{what}/size", shape),
    ]
    return context.put("SLICE", inputs, made, "Slice", 2)

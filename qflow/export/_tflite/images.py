"""images: pools and resizes, with the channels last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import runnable
from qflow.emulation.profile import profile
from qflow.export._tflite.context import Context, refused
from qflow.export._tflite.gemms import VALID, padding_of
from qflow.export._tflite.model import Tensor

if TYPE_CHECKING:
    from qflow.emulation.graph import Node

POOLS = {"max_pool2d": "MAX_POOL_2D", "avg_pool2d": "AVERAGE_POOL_2D"}


def pool(node: Node, context: Context) -> None:
    """MAX_POOL_2D, AVERAGE_POOL_2D; what SAME does not pad is padded before."""
    a = node.attributes
    if tuple(a.get("dilation", (1, 1))) != (1, 1):
        raise refused(node, "pools of TFLite are not dilated")
    source, padding = context.values(node.inputs[0]), padding_of(node, context)
    counts = node.op == "avg_pool2d" and any(a["padding"]) and a["counts_padding"]
    if padding is None or counts:
        if node.op == "avg_pool2d" and not counts:
            raise refused(node, "averages that leave out such a padding have no form")
        source, padding = _filled(node, context, source), VALID
    made = context.put(
        POOLS[node.op],
        [source],
        context.like(node),
        "Pool2D",
        3,
        filterHeight=a["kernel"][0],
        filterWidth=a["kernel"][1],
        strideH=a["stride"][0],
        strideW=a["stride"][1],
        padding=padding,
        fusedActivationFunction=context.activation(node),
    )
    context.finish(node, made)


def _filled(node: Node, context: Context, source: Tensor) -> Tensor:
    """With zeros around it, or of a maximum the lowest value."""
    top, left, bottom, right = node.attributes["padding"]
    sides = ((0, 0), (top, bottom), (left, right), (0, 0))
    shape = tuple(n + a + b for n, (a, b) in zip(source.shape, sides, strict=True))
    made = context.like(context.node(node.inputs[0]), f"{node.id}/padded", shape=shape)
    inputs = [source, context.ints(node, "pads", sides)]
    if node.op == "avg_pool2d":
        return context.put("PAD", inputs, made, "Pad", 2)
    lowest = np.array([np.iinfo(source.dtype).min], source.dtype)
    inputs.append(
        context.constant(
            f"{node.id}/lowest", lowest, scale=source.scale, zero_point=source.zero_point
        )
    )
    return context.put("PADV2", inputs, made, "PadV2", 2)


def upsample(node: Node, context: Context) -> None:
    """RESIZE_NEAREST_NEIGHBOR, RESIZE_BILINEAR."""
    a = node.attributes
    inputs = [context.values(node.inputs[0]), context.ints(node, "size", tuple(a["size"]))]
    nearest = a["mode"] != "bilinear"
    aligned = not nearest and _aligned(node, context)
    half = a["mode"] == "nearest-exact" or (not nearest and not aligned)
    name = "ResizeNearestNeighbor" if nearest else "ResizeBilinear"
    operator = "RESIZE_NEAREST_NEIGHBOR" if nearest else "RESIZE_BILINEAR"
    made = context.put(
        operator,
        inputs,
        context.like(node),
        name,
        3 if half else 2,
        alignCorners=aligned,
        halfPixelCenters=half,
    )
    context.finish(node, made)


def _aligned(node: Node, context: Context) -> bool:
    """Whether its places are those of aligned corners. Raises QflowError QF502 for others."""
    operator: Any = runnable(node.op, profile(context.graph.profile).own)
    dtype, shape = context.type_of(node.inputs[0]).dtype, context.shapes[node.inputs[0]]
    for aligned in (False, True):
        found = (
            operator.places(size, count, aligned, dtype)
            for size, count in zip(shape[1:3], node.attributes["size"], strict=True)
        )
        roles = ("row", "row_weight"), ("column", "column_weight")
        if all(
            np.array_equal(context.role(node, role), made)
            for pair, both in zip(roles, found, strict=True)
            for role, made in zip(pair, both, strict=True)
        ):
            return aligned
    raise refused(node, "its places are neither those of pixel centres nor of aligned corners")

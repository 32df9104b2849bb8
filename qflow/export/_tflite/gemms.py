"""gemms: convolutions and products; weights lie as TFLite has them, biases on the sum's scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.export._tflite.context import Context, refused
from qflow.export._tflite.model import Tensor

if TYPE_CHECKING:
    from qflow.emulation.graph import Node

SAME, VALID = 0, 1
WIDE = "int16"


def conv2d(node: Node, context: Context) -> None:
    """CONV_2D; DEPTHWISE_CONV_2D where every channel is a group of its own."""
    _plain(node)
    weight, a = context.role(node, "weight"), node.attributes
    source, padding = _padded(node, context)
    rows, columns = a["stride"]
    settings: dict[str, Any] = {
        "strideH": rows,
        "strideW": columns,
        "dilationHFactor": a["dilation"][0],
        "dilationWFactor": a["dilation"][1],
        "padding": padding,
        "fusedActivationFunction": context.activation(node),
    }
    last = np.ascontiguousarray(weight.transpose(0, 2, 3, 1))
    output = context.like(node)
    if a["groups"] == 1 or weight.shape[1] > 1 or a["groups"] != source.shape[-1]:
        filters = _weights(node, context, last, 0)
        inputs = [source, filters, _bias(node, context)]
        context.finish(node, context.put("CONV_2D", inputs, output, "Conv2D", 3, **settings))
        return
    settings["depthMultiplier"] = weight.shape[0] // a["groups"]
    filters = _weights(node, context, np.ascontiguousarray(last.transpose(3, 1, 2, 0)), 3)
    inputs = [source, filters, _bias(node, context)]
    made = context.put("DEPTHWISE_CONV_2D", inputs, output, "DepthwiseConv2D", 3, **settings)
    context.finish(node, made)


def conv1d(node: Node, context: Context) -> None:
    """CONV_2D of images of one row."""
    _plain(node)
    weight, a = context.role(node, "weight"), node.attributes
    if a["groups"] != 1:
        raise refused(node, "of convolutions along one axis those in one group are written")
    n, channels, places = context.shapes[node.inputs[0]]
    before, behind = a["padding"]
    source = context.values(node.inputs[0])
    turned = context.like(
        context.node(node.inputs[0]), f"{node.id}/last", shape=(n, places, channels)
    )
    context.put(
        "TRANSPOSE", [source, context.ints(node, "dims", (0, 2, 1))], turned, "Transpose", 2
    )
    row = context.like(
        context.node(node.inputs[0]), f"{node.id}/row", shape=(n, 1, places, channels)
    )
    context.put("RESHAPE", [turned, context.ints(node, "row/shape", row.shape)], row, "Reshape")
    row = _around(node, context, row, ((0, 0), (0, 0), (before, behind), (0, 0)))
    filters = _weights(node, context, np.ascontiguousarray(weight.transpose(0, 2, 1)[:, None]), 0)
    shape = context.shapes[node.id]
    made = context.like(node, f"{node.id}/rows", shape=(n, 1, shape[2], shape[1]))
    context.put(
        "CONV_2D",
        [row, filters, _bias(node, context)],
        made,
        "Conv2D",
        3,
        strideH=1,
        strideW=a["stride"][0],
        dilationHFactor=1,
        dilationWFactor=a["dilation"][0],
        padding=VALID,
        fusedActivationFunction=context.activation(node),
    )
    flat = context.like(node, f"{node.id}/flat", shape=(n, shape[2], shape[1]))
    context.put("RESHAPE", [made, context.ints(node, "flat/shape", flat.shape)], flat, "Reshape")
    order = context.ints(node, "back", (0, 2, 1))
    context.finish(
        node, context.put("TRANSPOSE", [flat, order], context.like(node), "Transpose", 2)
    )


def conv_transpose2d(node: Node, context: Context) -> None:
    """TRANSPOSE_CONV, which neither groups nor dilates."""
    _plain(node)
    weight, a = context.role(node, "weight"), node.attributes
    if a["groups"] != 1 or tuple(a["dilation"]) != (1, 1):
        raise refused(node, "TRANSPOSE_CONV has one group and no dilation")
    if any(a["padding"]) or any(a["output_padding"]):
        raise refused(node, "TRANSPOSE_CONV is written without padding")
    filters = _weights(node, context, np.ascontiguousarray(weight.transpose(0, 2, 3, 1)), 0)
    output = context.like(node)
    inputs = [
        context.ints(node, "shape", output.shape),
        filters,
        context.values(node.inputs[0]),
        _bias(node, context),
    ]
    rows, columns = a["stride"]
    settings = {"padding": VALID, "strideH": rows, "strideW": columns}
    if context.activation(node):
        raise refused(node, "TRANSPOSE_CONV is written without a fused activation")
    context.finish(
        node, context.put("TRANSPOSE_CONV", inputs, output, "TransposeConv", 3, **settings)
    )


def linear(node: Node, context: Context) -> None:
    """FULLY_CONNECTED along the last axis."""
    _plain(node)
    weight = context.role(node, "weight")
    inputs = [
        context.values(node.inputs[0]),
        _weights(node, context, weight, 0),
        _bias(node, context),
    ]
    output = context.like(node)
    made = context.put(
        "FULLY_CONNECTED",
        inputs,
        output,
        "FullyConnected",
        5,
        fusedActivationFunction=context.activation(node),
        keepNumDims=len(output.shape) > 2,
    )
    context.finish(node, made)


def matmul(node: Node, context: Context) -> None:
    """BATCH_MATMUL."""
    if context.activation(node):
        raise refused(node, "BATCH_MATMUL has no fused activation")
    made = context.put("BATCH_MATMUL", context.inputs(node), context.like(node), "BatchMatMul", 4)
    context.finish(node, made)


def _plain(node: Node) -> None:
    if node.attributes.get("residual"):
        raise refused(node, "its residual is added in accumulator precision")
    if node.output.dtype == "int32":
        raise refused(node, "its accumulator is kept, and TFLite gives activations")


def _weights(node: Node, context: Context, weight: np.ndarray, axis: int) -> Tensor:
    """With the one scale that the weights have where the rescale has one."""
    scale = context.role(node, "weight_scale").reshape(-1)
    single = all(
        context.role(node, r).size == 1
        for r in node.constants
        if r in ("multiplier", "target_scale", "ratio")
    )
    single = single and bool((scale == scale[0]).all()) and "multiplier" in node.constants
    return context.constant(
        f"{node.id}.weight", weight, scale=scale[:1] if single else scale, axis=axis
    )


def _bias(node: Node, context: Context) -> Tensor:
    """int32, of 64 bits behind int16."""
    bias = context.role(node, "bias")
    source = context.type_of(node.inputs[0])
    assert source.scale is not None, "a product reads a grid"
    scale = context.role(node, "weight_scale").reshape(-1) * np.float32(source.scale[0])
    wide = bias.astype(np.int64 if source.dtype == WIDE else np.int32)
    return context.constant(f"{node.id}.bias", wide, scale=scale.astype(np.float32))


def padding_of(node: Node, context: Context) -> int | None:
    """The padding of TFLite that stands for the node's; None: there is none."""
    a, source = node.attributes, context.values(node.inputs[0])
    top, left, bottom, right = a["padding"]
    if not any(a["padding"]):
        return VALID
    wanted = []
    dilations = a.get("dilation", (1, 1))
    for size, kernel, stride, dilation in zip(
        source.shape[1:3], a["kernel"], a["stride"], dilations, strict=True
    ):
        reach = (kernel - 1) * dilation + 1
        total = max((-(-size // stride) - 1) * stride + reach - size, 0)
        wanted.append((total // 2, total - total // 2))
    return SAME if wanted == [(top, bottom), (left, right)] else None


def _padded(node: Node, context: Context) -> tuple[Tensor, int]:
    """The image, and its padding; with a PAD before it where TFLite has none such."""
    source, found = context.values(node.inputs[0]), padding_of(node, context)
    if found is not None:
        return source, found
    top, left, bottom, right = node.attributes["padding"]
    return _around(node, context, source, ((0, 0), (top, bottom), (left, right), (0, 0))), VALID


def _around(node: Node, context: Context, source: Tensor, sides: Any) -> Tensor:
    if not any(map(any, sides)):
        return source
    shape = tuple(n + a + b for n, (a, b) in zip(source.shape, sides, strict=True))
    type_ = context.node(node.inputs[0])
    made = context.like(type_, f"{node.id}/padded", shape=shape)
    return context.put("PAD", [source, context.ints(node, "pads", sides)], made, "Pad", 2)

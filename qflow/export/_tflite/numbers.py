"""numbers: sums, products, extremes and rectifiers, from one grid to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.export._tflite import tables
from qflow.export._tflite.context import RELU, RELU6, Context, refused

if TYPE_CHECKING:
    from qflow.emulation.graph import Node

BINARY = {"add": ("ADD", "Add"), "sub": ("SUB", "Sub"), "mul": ("MUL", "Mul")}
ROWS_AND_COLUMNS = (2, 3)
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
REDUCED = {"mean": "MEAN", "sum": "SUM", "amax": "REDUCE_MAX", "amin": "REDUCE_MIN"}


def binary(node: Node, context: Context) -> None:
    """ADD, SUB, MUL; with a number, a table: the number's grid is not in the integer graph."""
    if len(node.inputs) == 1:
        tables.of_node(node, context)
        return
    if node.attributes.get("sign", 1) != 1:
        raise refused(node, "MUL has no sign of its own")
    name, options = BINARY[node.op]
    inputs = context.inputs(node)
    if node.attributes.get("reflected"):
        inputs = inputs[::-1]
    settings: dict[str, Any] = {"fusedActivationFunction": context.activation(node)}
    if node.op != "mul":
        settings["potScaleInt16"] = False
    context.finish(node, context.put(name, inputs, context.like(node), options, 2, **settings))


def larger(node: Node, context: Context) -> None:
    """MAXIMUM, MINIMUM."""
    made = context.put(
        node.op.upper(), context.inputs(node), context.like(node), "MaximumMinimum", 2
    )
    context.finish(node, made)


def rectified(node: Node, context: Context) -> None:
    """RELU, RELU6, and QUANTIZE where nothing is clamped."""
    name = {RELU: "RELU", RELU6: "RELU6"}.get(context.activation(node))
    source, output = context.values(node.inputs[0]), context.like(node)
    if name is None:
        context.finish(node, context.put("QUANTIZE", [source], output, "Quantize", 2))
    else:
        context.finish(node, context.put(name, [source], output, "", 2))


def magnitude(node: Node, context: Context) -> None:
    """ABS."""
    context.finish(node, context.put("ABS", context.inputs(node), context.like(node), "Abs", 2))


def negated(node: Node, context: Context) -> None:
    """NEG."""
    context.finish(node, context.put("NEG", context.inputs(node), context.like(node), "Neg", 1))


def leaky(node: Node, context: Context) -> None:
    """LEAKY_RELU, whose slope is the ratio of both rescales; else a table."""
    roles = ("multiplier", "shift", "below_multiplier", "below_shift")
    if not all(r in node.constants for r in roles):
        tables.of_node(node, context)
        return
    above, right, below, far = (int(context.role(node, r)[0]) for r in roles)
    if not above:
        tables.of_node(node, context)
        return
    sign = int(context.role(node, "sign")[0]) if "sign" in node.constants else 1
    slope = np.float32(sign * below / above * 2.0 ** (right - far))
    made = context.put(
        "LEAKY_RELU", context.inputs(node), context.like(node), "LeakyRelu", 2, alpha=float(slope)
    )
    context.finish(node, made)


def reduced(node: Node, context: Context) -> None:
    """MEAN, SUM, REDUCE_MAX and REDUCE_MIN."""
    a = node.attributes
    if node.op == "mean" and tuple(a["dims"]) == ROWS_AND_COLUMNS and a["keepdim"]:
        _mean_of_rows_and_columns(node, context)
        return
    axes = context.ints(node, "axes", tuple(a["dims"]))
    inputs = [context.values(node.inputs[0]), axes]
    made = context.put(
        REDUCED[node.op], inputs, context.like(node), "Reducer", 2, keepDims=bool(a["keepdim"])
    )
    context.finish(node, made)


def _mean_of_rows_and_columns(node: Node, context: Context) -> None:
    """With the channels last, where the kernels of TFLite have a rule of their own for it."""
    before = context.node(node.inputs[0])
    if before.op == "permute" and tuple(before.attributes["dims"]) == TO_NCHW:
        last = context.values(before.inputs[0])
    else:
        source = context.values(before.id)
        shape = tuple(source.shape[d] for d in TO_NHWC)
        made = context.like(before, f"{node.id}/last", shape=shape)
        dims = context.ints(node, "dims", TO_NHWC)
        last = context.put("TRANSPOSE", [source, dims], made, "Transpose", 2)
    n, channels = context.shapes[node.id][:2]
    mean = context.like(node, f"{node.id}/mean", shape=(n, 1, 1, channels))
    axes = context.ints(node, "axes", (1, 2))
    context.put("MEAN", [last, axes], mean, "Reducer", 2, keepDims=True)
    target = context.ints(node, "shape", context.shapes[node.id])
    context.finish(node, context.put("RESHAPE", [mean, target], context.like(node), "Reshape"))


def image_mean(node: Node, context: Context) -> None:
    """MEAN over rows and columns."""
    inputs = [context.values(node.inputs[0]), context.ints(node, "axes", (1, 2))]
    made = context.put("MEAN", inputs, context.like(node), "Reducer", 2, keepDims=True)
    context.finish(node, made)


def largest_place(node: Node, context: Context) -> None:
    """ARG_MAX, ARG_MIN."""
    a = node.attributes
    name, options = ("ARG_MAX", "ArgMax") if a["largest"] else ("ARG_MIN", "ArgMin")
    inputs = [context.values(node.inputs[0]), context.ints(node, "axis", int(a["dim"]))]
    if not a["keepdim"]:
        context.finish(
            node, context.put(name, inputs, context.like(node), options, 2, outputType=2)
        )
        return
    shape = [n for i, n in enumerate(context.shapes[node.id]) if i != a["dim"]]
    flat = context.like(node, f"{node.id}/flat", shape=tuple(shape))
    context.put(name, inputs, flat, options, 2, outputType=2)
    target = context.ints(node, "shape", context.shapes[node.id])
    context.finish(node, context.put("RESHAPE", [flat, target], context.like(node), "Reshape"))

"""numbers: sums, products, extremes and rectifiers, from one grid to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.export._tflite import tables
from qflow.export._tflite.context import RELU, RELU6, Context, refused

if TYPE_CHECKING:
    from qflow.emulation.graph import Node

BINARY = {"add": ("ADD", "Add"), "sub": ("SUB", "Sub"), "mul": ("MUL", "Mul")}
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
    axes = context.ints(node, "axes", tuple(a["dims"]))
    inputs = [context.values(node.inputs[0]), axes]
    made = context.put(
        REDUCED[node.op], inputs, context.like(node), "Reducer", 2, keepDims=bool(a["keepdim"])
    )
    context.finish(node, made)


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
        context.finish(node, context.put(name, inputs, context.like(node), options, 2, outputType=2))
        return
    shape = [n for i, n in enumerate(context.shapes[node.id]) if i != a["dim"]]
    flat = context.like(node, f"{node.id}/flat", shape=tuple(shape))
    context.put(name, inputs, flat, options, 2, outputType=2)
    target = context.ints(node, "shape", context.shapes[node.id])
    context.finish(node, context.put("RESHAPE", [flat, target], context.like(node), "Reshape"))

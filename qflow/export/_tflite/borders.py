"""borders: where floats become integers and integers floats, and what stays float between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._tflite import floats, tables
from qflow.export._tflite.context import Context

if TYPE_CHECKING:
    from qflow.emulation.graph import Node

PER_VALUE = (
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "clamp", "cos", "cosh", "div",
    "elu", "erf", "exp", "floor", "gelu", "hard_sigmoid", "hard_swish", "leaky_relu", "log", "mish",
    "mul", "neg", "pow", "reciprocal", "relu", "relu6", "rsqrt", "selu", "sigmoid", "silu", "sin",
    "sinh", "softplus", "sqrt", "sub", "add", "tan", "tanh",
)  # fmt: skip
"""Float islands that look at one value of their one operand."""
PER_CHANNEL = ("batch_norm",)
"""Those that look at its channel too."""


def quantize(node: Node, context: Context) -> None:
    """A table where all between two grids looks at single values; else QUANTIZE of floats."""
    source = context.node(node.inputs[0])
    if source.op == "input" and node.inputs[0] in context.tensors:
        given = context.tensors[node.inputs[0]]
        if given.scale is not None:
            context.finish(node, given)
            return
    if source.op == "input" and node.inputs[0] in context.last:
        given = context.last[node.inputs[0]]
        if given.scale is None:
            made = context.like(node, f"{node.id}/last", shape=given.shape)
            given = context.put("QUANTIZE", [given], made, "Quantize", 1)
        context.last[node.id] = given
        return
    chain = _chain(node, context)
    if chain is not None:
        axis = next((1 for n in chain if _name(n) in PER_CHANNEL), None)
        tables.of_chain(chain, context, axis)
        return
    real = context.values(node.inputs[0])
    if real.dtype != "float32":
        wide = context.like(node, f"{node.id}/real", dtype="float32", scale=None, zero_point=0)
        real = context.put("CAST", [real], wide, "Cast", 1)
    context.finish(node, context.put("QUANTIZE", [real], context.like(node), "Quantize", 1))


def dequantize(node: Node, context: Context) -> None:
    """Nothing yet: DEQUANTIZE is written where somebody reads floats."""


def identity(node: Node, context: Context) -> None:
    """Nothing: who reads it reads its input."""
    source = context.same.get(node.inputs[0], node.inputs[0])
    context.same[node.id] = source
    if source in context.last:
        context.last[node.id] = context.last[source]


def island(node: Node, context: Context) -> None:
    """Float operators, where a table does not do and the export lets them."""
    if not _becomes_table(node, context):
        floats.write(node, context)


def _chain(node: Node, context: Context) -> list[Node] | None:
    """The nodes from a dequantize to `node`; None where one of them looks at more than a value."""
    found = [node]
    while found[0].op != "dequantize":
        before = context.node(found[0].inputs[0])
        single = before.op in ("dequantize", "identity") or (
            _name(before) in (*PER_VALUE, *PER_CHANNEL) and len(before.inputs) == 1
        )
        if not single or (_name(before) in PER_CHANNEL and len(before.output.shape) < 2):
            return None
        found.insert(0, before)
    source = context.type_of(found[0].inputs[0])
    if source.dtype not in ("int8", "int16") or source.axis is not None:
        return None
    return found if any(n.op == "island" for n in found) else None


def _becomes_table(node: Node, context: Context) -> bool:
    """Whether every reader of a float is in the end a quantize with a table."""
    readers = [context.node(u) for u in context.graph.users[node.id]]
    if not readers or node.id in {source for _, source in context.graph.outputs}:
        return False
    return all(
        _chain(r, context) is not None
        if r.op == "quantize"
        else r.op in ("island", "identity") and _becomes_table(r, context)
        for r in readers
    )


def _name(node: Node) -> str:
    return str(node.attributes.get("op", "")) if node.op == "island" else ""

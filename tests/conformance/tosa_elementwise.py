"""Operators of TOSA on values one by one, between RESCALEs: signs, comparisons, choices, numbers."""

from __future__ import annotations

import numpy as np

from qflow.emulation.graph import IntegerGraph, Node
from tests.conformance.litert_case import Case, node_of
from tests.conformance.tosa_model import ONE, Model, constants_of

WHOLE = "int32"


def _end(model: Model, name: str, graph: IntegerGraph, case: Case, prefix: str = "") -> np.ndarray:
    """RESCALE of int32 by the constants of the operator."""
    dtype, zeros = case.target.dtype, (0, case.target.zero_point)
    made = constants_of(graph, node_of(graph), prefix)
    model.rescale(name, (WHOLE, dtype), made, zeros, last=True)
    return model.run(dtype)


def _centred(model: Model, case: Case) -> str:
    on = case.sources[0]
    return model.whole(model.input(case.operands[0]), on.dtype, on.zero_point)


def _placed(model: Model, graph: IntegerGraph, case: Case, source: str, index: int) -> str:
    """An operand on the grid of the result: RESCALE where it lies elsewhere."""
    on, made = case.sources[index], graph.by_id[source]
    name = model.input(case.operands[index])
    if made.op != "rescale":
        return name
    zeros = (on.zero_point, case.target.zero_point)
    return model.rescale(name, (on.dtype, case.target.dtype), constants_of(graph, made), zeros)


def magnitude(graph: IntegerGraph, case: Case) -> np.ndarray:
    """ABS of int32."""
    model = Model(graph.profile)
    shape = case.operands[0].shape
    return _end(
        model,
        model.add("ABS", [_centred(model, case)], shape, WHOLE, attribute="Abs"),
        graph,
        case,
    )


def opposite(graph: IntegerGraph, case: Case) -> np.ndarray:
    """NEGATE of int32."""
    model = Model(graph.profile)
    return _end(model, _negated(model, _centred(model, case), case), graph, case)


def _negated(model: Model, name: str, case: Case) -> str:
    inputs = [name, model.scalar(0, WHOLE), model.scalar(0, WHOLE)]
    return model.add("NEGATE", inputs, case.operands[0].shape, WHOLE, attribute="Negate")


def by_number(graph: IntegerGraph, case: Case) -> np.ndarray:
    """RESCALE by the number too, and NEGATE before it where it is below 0."""
    model = Model(graph.profile)
    name = _centred(model, case)
    if node_of(graph).attributes["sign"] < 0:
        name = _negated(model, name, case)
    return _end(model, name, graph, case)


def and_number(graph: IntegerGraph, case: Case) -> np.ndarray:
    """The sum or the difference of a tensor and a number on a grid of its own."""
    model, node = Model(graph.profile), node_of(graph)
    on, shape = case.sources[0], case.operands[0].shape
    left = model.rescale(
        model.input(case.operands[0]),
        (on.dtype, WHOLE),
        constants_of(graph, node, "left_"),
        (on.zero_point, 0),
    )
    held = graph.constants[node.constants["scalar"]].astype(np.int32).reshape((1,) * len(shape))
    number = model.constant(held)
    model.shapes[number] = held.shape
    right = model.rescale(number, (WHOLE, WHOLE), constants_of(graph, node, "right_"))
    terms = [right, left] if node.attributes.get("reflected") else [left, right]
    name = node.op.capitalize()
    return _end(model, model.add(name.upper(), terms, shape, WHOLE, attribute=name), graph, case)


def larger(graph: IntegerGraph, case: Case) -> np.ndarray:
    """MAXIMUM or MINIMUM of int32, both operands on the grid of the result."""
    model, node, dtype = Model(graph.profile), node_of(graph), case.target.dtype
    zero = case.target.zero_point
    terms = [
        model.whole(_placed(model, graph, case, source, i), dtype, zero)
        for i, source in enumerate(node.inputs)
    ]
    kind = node.op.capitalize()
    settings = {"nan_mode": model.tosa.NanPropagationMode.PROPAGATE}
    chosen = model.add(kind.upper(), terms, node.output.shape, WHOLE, settings, kind)
    model.rescale(chosen, (WHOLE, dtype), ONE, (0, zero), last=True, double=False)
    return model.run(dtype)


def cut(graph: IntegerGraph, case: Case) -> np.ndarray:
    """RESCALE where the grids differ, and CLAMP."""
    model, node, dtype = Model(graph.profile), node_of(graph), case.target.dtype
    name = _placed(model, graph, case, node.inputs[0], 0)
    limits = [np.array([node.attributes[k]], dtype) for k in ("low", "high")]
    settings = {
        "min_val": limits[0].view(np.uint8).tolist(),
        "max_val": limits[1].view(np.uint8).tolist(),
        "nan_mode": model.tosa.NanPropagationMode.PROPAGATE,
    }
    model.add("CLAMP", [name], case.operands[0].shape, dtype, settings, "Clamp", last=True)
    return model.run(dtype)


def sloped(graph: IntegerGraph, case: Case) -> np.ndarray:
    """Two RESCALEs, GREATER_EQUAL and SELECT; channels last where every one has its own slope."""
    model, node = Model(graph.profile), node_of(graph)
    x, on, dtype = np.moveaxis(case.operands[0], 1, -1), case.sources[0], case.target.dtype
    name = model.whole(model.input(x), on.dtype, on.zero_point)
    zeros, shape = (0, case.target.zero_point), x.shape
    above = model.rescale(name, (WHOLE, dtype), constants_of(graph, node), zeros)
    sign = graph.constants[node.constants["sign"]].astype(np.int32)
    signs = model.constant(sign.reshape(*(1,) * (x.ndim - 1), -1))
    turned = model.add("MUL", [name, signs, model.scalar(0, "int8")], shape, WHOLE, attribute="Mul")
    beneath = constants_of(graph, node, "below_")
    below = model.rescale(turned, (WHOLE, dtype), beneath, zeros)
    least = model.constant(np.zeros((1,) * x.ndim, np.int32))
    is_above = model.add("GREATER_EQUAL", [name, least], shape, "bool", attribute="GreaterEqual")
    choice = [is_above, above, below]
    model.add("SELECT", choice, shape, dtype, attribute="Select", last=True)
    return np.moveaxis(model.run(dtype), -1, 1)


def chosen(graph: IntegerGraph, case: Case) -> np.ndarray:
    """SELECT by a mask of two tensors, or of a tensor and a number."""
    model, node, dtype = Model(graph.profile), node_of(graph), case.target.dtype
    fills = node.op == "masked_fill"
    at = 1 if fills else 0
    mask = model.input(case.operands[at].astype(bool))
    tensors = {
        i: _placed(model, graph, case, source, i) for i, source in enumerate(node.inputs) if i != at
    }
    both = list(tensors.values())
    if fills:
        both.insert(0, _filling(model, graph, node, case))
    shape = node.output.shape
    model.add("SELECT", [mask, *both], shape, dtype, attribute="Select", last=True)
    return model.run(dtype)


def _filling(model: Model, graph: IntegerGraph, node: Node, case: Case) -> str:
    value = graph.constants[node.constants["value"]].reshape((1,) * case.operands[0].ndim)
    return model.constant(value)

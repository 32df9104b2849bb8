"""The operators of TOSA that stand for ours, with the constants of the lowered graph."""

from __future__ import annotations

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, node_of
from tests.conformance.tosa_model import (
    ONE,
    Model,
    constants_of,
    first_axis,
    last_axis,
    zeros_of,
)


def _last(model: Model, name: str, graph: IntegerGraph, case: Case) -> np.ndarray:
    """RESCALE of an int32 tensor by the constants of the operator."""
    node = node_of(graph)
    dtype = case.target.dtype
    zeros = (0, case.target.zero_point)
    model.rescale(name, ("int32", dtype), constants_of(graph, node), zeros, last=True)
    return first_axis(model.run(dtype))


def added(graph: IntegerGraph, case: Case) -> np.ndarray:
    """Both operands rescaled to int32, ADD or SUB, and a third RESCALE."""
    model, node = Model(graph.profile), node_of(graph)
    terms = []
    for prefix, values, on in zip(("left_", "right_"), case.operands, case.sources, strict=True):
        fine = constants_of(graph, node, prefix)
        kinds = (on.dtype, "int32")
        terms.append(model.rescale(model.input(values), kinds, fine, (on.zero_point, 0)))
    name = case.op.capitalize()
    total = model.add(name.upper(), terms, case.operands[0].shape, "int32", attribute=name)
    return _last(model, total, graph, case)


def multiplied(graph: IntegerGraph, case: Case) -> np.ndarray:
    model = Model(graph.profile)
    terms = [
        model.whole(model.input(values), on.dtype, on.zero_point)
        for values, on in zip(case.operands, case.sources, strict=True)
    ]
    terms.append(model.scalar(0, "int8"))
    acc = model.add("MUL", terms, case.operands[0].shape, "int32", attribute="Mul")
    return _last(model, acc, graph, case)


def average(graph: IntegerGraph, case: Case) -> np.ndarray:
    """AVG_POOL2D, which stays on the grid of its input."""
    model, a = Model(graph.profile), case.attributes
    values, on = last_axis(case.operands[0]), case.sources[0]
    rows, columns = values.shape[1:3]
    top, left, bottom, right = a.get("padding", (0, 0, 0, 0))
    settings = {
        "kernel": list(a.get("kernel", (rows, columns))),
        "stride": list(a.get("stride", (1, 1))),
        "pad": [top, bottom, left, right],
        "acc_type": model.tosa.DType.INT32,
    }
    zero = on.zero_point
    inputs = [model.input(values), model.scalar(zero, on.dtype), model.scalar(zero, on.dtype)]
    n, c, h, w = node_of(graph).output.shape
    model.add("AVG_POOL2D", inputs, (n, h, w, c), on.dtype, settings, "AvgPool2d", last=True)
    return first_axis(model.run(on.dtype))


def counted(graph: IntegerGraph, case: Case) -> np.ndarray:
    """REDUCE_SUM along both axes of an image, then RESCALE."""
    model, on = Model(graph.profile), case.sources[0]
    values = last_axis(case.operands[0])
    n, _, columns, c = values.shape
    name = model.whole(model.input(values), on.dtype, on.zero_point)
    for axis, shape in ((1, (n, 1, columns, c)), (2, (n, 1, 1, c))):
        name = model.add("REDUCE_SUM", [name], shape, "int32", {"axis": axis}, "ReduceSum")
    return _last(model, name, graph, case)


def ones(graph: IntegerGraph, case: Case) -> np.ndarray:
    """DEPTHWISE_CONV2D with weights of one, then RESCALE."""
    model, a, on = Model(graph.profile), case.attributes, case.sources[0]
    values = last_axis(case.operands[0])
    channels = values.shape[-1]
    top, left, bottom, right = a["padding"]
    settings = {
        "pad": [top, bottom, left, right],
        "stride": list(a["stride"]),
        "dilation": [1, 1],
        "local_bound": False,
        "acc_type": model.tosa.DType.INT32,
    }
    inputs = [
        model.input(values),
        model.constant(np.ones((*a["kernel"], channels, 1), np.int8)),
        model.constant(np.zeros(channels, np.int32)),
        model.scalar(on.zero_point, "int8"),
        model.scalar(0, "int8"),
    ]
    n, c, h, w = node_of(graph).output.shape
    name = model.add("DEPTHWISE_CONV2D", inputs, (n, h, w, c), "int32", settings, "DepthwiseConv2d")
    return _last(model, name, graph, case)


def maximum(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, a = Model(graph.profile), case.attributes
    top, left, bottom, right = a["padding"]
    settings = {
        "kernel": list(a["kernel"]),
        "stride": list(a["stride"]),
        "pad": [top, bottom, left, right],
        "nan_mode": model.tosa.NanPropagationMode.PROPAGATE,
    }
    n, c, h, w = node_of(graph).output.shape
    dtype = case.target.dtype
    image = model.input(last_axis(case.operands[0]))
    model.add("MAX_POOL2D", [image], (n, h, w, c), dtype, settings, "MaxPool2d", last=True)
    return first_axis(model.run(dtype))


def summed(graph: IntegerGraph, case: Case) -> np.ndarray:
    """REDUCE_SUM of int32 along one axis, then RESCALE: sum and mean."""
    model = Model(graph.profile)
    on, axis = case.sources[0], case.attributes["dims"][0]
    shape = tuple(1 if i == axis else s for i, s in enumerate(case.operands[0].shape))
    whole = model.whole(model.input(case.operands[0]), on.dtype, on.zero_point)
    total = model.add("REDUCE_SUM", [whole], shape, "int32", {"axis": axis}, "ReduceSum")
    return _last(model, total, graph, case)


def rescaled(graph: IntegerGraph, case: Case) -> np.ndarray:
    """RESCALE of 8 or 16 bits, and CLAMP where the operator cuts off."""
    model, node = Model(graph.profile), node_of(graph)
    dtypes = (case.sources[0].dtype, case.target.dtype)
    # identity is a rescale and a copy, or the copy alone
    source = node if node.constants else graph.by_id[node.inputs[0]]
    factor = constants_of(graph, source) if source.constants else ONE
    cut = case.op != "identity"
    name = model.rescale(
        model.input(case.operands[0]),
        dtypes,
        factor,
        zeros_of(case),
        last=not cut,
    )
    if cut:
        limits = [np.array([node.attributes[k]], dtypes[1]) for k in ("low", "high")]
        settings = {
            "min_val": limits[0].view(np.uint8).tolist(),
            "max_val": limits[1].view(np.uint8).tolist(),
            "nan_mode": model.tosa.NanPropagationMode.PROPAGATE,
        }
        shape = case.operands[0].shape
        model.add("CLAMP", [name], shape, dtypes[1], settings, "Clamp", last=True)
    return model.run(dtypes[1])


def looked_up(graph: IntegerGraph, case: Case) -> np.ndarray:
    """TABLE: 256 entries, or 513 and the RESCALE of its 7 bits of fraction, rounded once."""
    model, node = Model(graph.profile), node_of(graph)
    table = graph.constants[node.constants["table"]]
    values, dtype = case.operands[0], case.target.dtype
    name = model.input(values)
    if dtype == "int8":
        ordered = np.roll(table, 128)  # TOSA begins with the entry of -128
        inputs = [name, model.constant(ordered)]
        model.add("TABLE", inputs, values.shape, dtype, attribute="Table", last=True)
        return model.run(dtype)
    inputs = [name, model.constant(table)]
    fine = model.add("TABLE", inputs, values.shape, "int32", attribute="Table")
    whole = {"multiplier": np.array([1 << 30]), "shift": np.array([37])}
    model.rescale(fine, ("int32", dtype), whole, last=True, double=False)
    return model.run(dtype)


def joined(graph: IntegerGraph, case: Case) -> np.ndarray:
    """RESCALE of each tensor that lies elsewhere, then CONCAT."""
    model, node = Model(graph.profile), node_of(graph)
    parts = []
    dtype = case.target.dtype
    for values, on, source in zip(case.operands, case.sources, node.inputs, strict=True):
        name, made = model.input(values), graph.by_id[source]
        if made.op == "rescale":
            zeros = (on.zero_point, case.target.zero_point)
            constants = constants_of(graph, made)
            name = model.rescale(name, (on.dtype, dtype), constants, zeros)
        parts.append(name)
    axis = case.attributes["dim"]
    shape = node.output.shape
    model.add("CONCAT", parts, shape, dtype, {"axis": axis}, "Concat", last=True)
    return model.run(dtype)

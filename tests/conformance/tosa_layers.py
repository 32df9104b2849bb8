"""Layers of TOSA: convolutions of one, two and three axes, transposed ones, and what is added."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, node_of
from tests.conformance.tosa_model import Model, constants_of

KINDS = {
    "CONV2D": "Conv2d",
    "DEPTHWISE_CONV2D": "DepthwiseConv2d",
    "CONV3D": "Conv3d",
    "TRANSPOSE_CONV2D": "TransposeConv2d",
}


def channels_last(values: np.ndarray) -> np.ndarray:
    """Of a batch with its channels along axis 1, and of weights with their inputs there."""
    return np.moveaxis(values, 1, -1)


def layer(graph: IntegerGraph, case: Case) -> np.ndarray:
    """The accumulator, a residual on its scale, and RESCALE.

    int16 has accumulators of 48 bits, which come to int32 by a RESCALE of one.
    """
    model, node = Model(graph.profile), node_of(graph)
    flat = case.operands[0].ndim < 4
    values = _as_images(case.operands[0]) if flat else case.operands[0]
    shape = _as_images(np.empty(node.output.shape)).shape if flat else node.output.shape
    last = (shape[0], *shape[2:], shape[1])
    acc = _accumulator(model, graph, case, channels_last(values), last)
    if case.residual:
        on = case.sources[-1]
        fine = constants_of(graph, node, "residual_")
        added = model.input(channels_last(case.operands[-1]))
        term = model.rescale(added, (on.dtype, "int32"), fine, (on.zero_point, 0))
        acc = model.add("ADD", [acc, term], last, "int32", attribute="Add")
    dtype, zeros = case.target.dtype, (0, case.target.zero_point)
    model.rescale(acc, ("int32", dtype), constants_of(graph, node), zeros, last=True)
    return np.moveaxis(model.run(dtype), -1, 1).reshape(node.output.shape)


def _as_images(values: np.ndarray) -> np.ndarray:
    """Rows become images of one pixel, rows of several pixels images of one row."""
    return values[:, :, None, None] if values.ndim == 2 else values[:, :, None]


def _accumulator(
    model: Model, graph: IntegerGraph, case: Case, image: np.ndarray, shape: tuple[int, ...]
) -> str:
    """int32 of that shape."""
    node, kind = node_of(graph), case.sources[0].dtype
    weight, bias = (graph.constants[node.constants[r]] for r in ("weight", "bias"))
    weight = weight if weight.ndim >= 4 else _as_images(weight)
    op, filters = _filters(case, weight)
    wide = "int48" if kind == "int16" else "int32"
    sums = model.constant(bias.astype(np.int64 if kind == "int16" else np.int32), wide)
    inputs = [
        model.input(image),
        model.constant(filters.astype(np.int8)),
        sums,
        model.scalar(case.sources[0].zero_point, kind),
        model.scalar(0, "int8"),
    ]
    settings = {
        **_settings(case, op, weight.ndim - 2),
        "local_bound": False,
        "acc_type": getattr(model.tosa.DType, wide.upper()),
    }
    acc = model.add(op, inputs, shape, wide, settings, KINDS[op])
    return model.narrowed(acc) if wide == "int48" else acc


def _filters(case: Case, weight: np.ndarray) -> tuple[str, np.ndarray]:
    """The operator, and the weights as it has them."""
    if case.op == "conv3d":
        return "CONV3D", channels_last(weight)
    if case.op == "conv_transpose2d":
        return "TRANSPOSE_CONV2D", channels_last(weight)
    groups = case.attributes.get("groups", 1)
    if groups == 1:
        return "CONV2D", channels_last(weight)
    assert weight.shape[1] == 1, "TOSA has no groups of several channels"
    rows, columns = weight.shape[2:]
    single = weight.reshape(groups, -1, rows, columns).transpose(2, 3, 0, 1)
    return "DEPTHWISE_CONV2D", single


def _settings(case: Case, op: str, axes: int) -> dict[str, Any]:
    a = case.attributes
    if not a:
        return {"pad": [0] * 4, "stride": [1, 1], "dilation": [1, 1]}
    n = len(a["kernel"])
    missing = axes - n
    sides = [0, 0] * missing + [a["padding"][i + j * n] for i in range(n) for j in range(2)]
    stride = [1] * missing + list(a["stride"])
    if op == "TRANSPOSE_CONV2D":
        more = [m for extra in a["output_padding"] for m in (0, extra)]
        return {"out_pad": [m - s for m, s in zip(more, sides, strict=True)], "stride": stride}
    return {"pad": sides, "stride": stride, "dilation": [1] * missing + list(a["dilation"])}


def product(graph: IntegerGraph, case: Case) -> np.ndarray:
    """MATMUL and RESCALE."""
    model, node = Model(graph.profile), node_of(graph)
    names = [model.input(x) for x in case.operands]
    zeros = [model.scalar(on.zero_point, on.dtype) for on in case.sources]
    wide = "int48" if case.sources[0].dtype == "int16" else "int32"
    acc = model.add("MATMUL", [*names, *zeros], node.output.shape, wide, attribute="MatMul")
    acc = model.narrowed(acc) if wide == "int48" else acc
    dtype = case.target.dtype
    target = (0, case.target.zero_point)
    model.rescale(acc, ("int32", dtype), constants_of(graph, node), target, last=True)
    return model.run(dtype)

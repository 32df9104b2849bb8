"""Prepared graphs by hand, for every test of emulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qflow import march as marches
from qflow.dtype import DTYPES
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.op import Example
from qflow.emulation.op import op as operator
from qflow.march import March
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode

PROFILES = ("mul15", "tosa.single", "tosa.double", "onnxruntime", "onnx.qdq")


def grid(dtype: str, scale: Any, axis: int | None = None) -> Grid:
    return Grid(DTYPES[dtype], np.atleast_1d(np.asarray(scale, np.float32)), 0, axis)


def march(**changes: Any) -> March:
    return replace(marches.load("generic"), **changes)


def weight_grid(weight: np.ndarray, dtype: str, axis: int = 0) -> Grid:
    top = np.abs(weight).max(axis=tuple(d for d in range(weight.ndim) if d != axis))
    return grid(dtype, np.where(top == 0, 1, top) / DTYPES[dtype].qmax, axis)


def weight_axis(op_name: str) -> int:
    """Along which axis of its weight an operator has its output channels."""
    return operator(op_name).weight_axis or 0


def outputs(op_name: str, example: Example) -> int:
    """Output channels of an operator that has a weight."""
    assert example.weight is not None
    axis = weight_axis(op_name)
    return example.weight[axis] * (example.attributes["groups"] if axis else 1)


def one_op(
    op: str,
    example: Example,
    in_scales: Sequence[float],
    out_scale: float,
    *,
    dtype: str = "int8",
    out_dtype: str = "",
    weight_dtype: str = "int8",
    weight: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    in_dtypes: Sequence[str] = (),
    relu_input: bool = False,
) -> PreparedGraph:
    """Inputs, their quant stubs, one operator, a dequant stub; the output is called `y`."""
    nodes: list[PreparedNode] = []
    operands = []
    for i, (shape, scale) in enumerate(zip(example.shapes, in_scales, strict=True)):
        kind = in_dtypes[i] if in_dtypes else dtype
        nodes.append(PreparedNode(f"x{i}", f"x{i}", "input", (), shape=shape))
        made = PreparedNode(
            f"q{i}",
            f"q{i}",
            "quant",
            (f"x{i}",),
            grid=grid(kind, scale),
            out_dtype=kind,
            shape=shape,
        )
        nodes.append(made)
        operands.append(f"q{i}")
        if relu_input:
            nodes.append(replace(made, id=f"r{i}", address=f"r{i}", op="relu", inputs=(f"q{i}",)))
            operands[-1] = f"r{i}"
    kept = out_dtype == "int32"
    attributes: Mapping[str, Any] = example.attributes
    nodes.append(
        PreparedNode(
            "op",
            "op",
            op,
            tuple(operands),
            attributes,
            weight,
            bias,
            None if weight is None else weight_grid(weight, weight_dtype, weight_axis(op)),
            example.activation,
            example.residual,
            grid=None if kept else grid(out_dtype or dtype, out_scale),
            out_dtype=out_dtype or dtype,
        )
    )
    nodes.append(PreparedNode("d", "d", "dequant", ("op",), out_dtype="float32"))
    return PreparedGraph(tuple(nodes), tuple(f"x{i}" for i in range(len(operands))), (("y", "d"),))


def lowered(
    prepared: PreparedGraph, profile: str = "tosa.single", on: March | None = None
) -> IntegerGraph:
    return lower(prepared, on or march(), profile).graph


def conv_example(
    image: tuple[int, int, int, int],
    out: int,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    activation: str | None = None,
    residual: bool = False,
) -> Example:
    attributes = {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }
    rows, columns = (
        (image[2 + i] + padding[i] + padding[i + 2] - dilation[i] * (kernel[i] - 1) - 1)
        // stride[i]
        + 1
        for i in range(2)
    )
    shapes = (image, (image[0], out, rows, columns)) if residual else (image,)
    return Example(shapes, attributes, (out, image[1] // groups, *kernel), activation, residual)

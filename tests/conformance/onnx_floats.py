"""Operators of ONNX on floats, between DequantizeLinear and QuantizeLinear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, node_of
from tests.conformance.onnx_model import Model, by_onnxruntime, by_reference

Settings = Callable[[Case], Mapping[str, Any]]


def _convolution(case: Case) -> Mapping[str, Any]:
    a = case.attributes
    return {
        "kernel_shape": a["kernel"],
        "strides": a["stride"],
        "pads": a["padding"],
        "dilations": a["dilation"],
        "group": a["groups"],
    }


def _pool(case: Case) -> Mapping[str, Any]:
    a = case.attributes
    return {"kernel_shape": a["kernel"], "strides": a["stride"], "pads": a["padding"]}


def _average(case: Case) -> Mapping[str, Any]:
    return {**_pool(case), "count_include_pad": 1}


def _none(case: Case) -> Mapping[str, Any]:
    return {}


OPERATORS: Mapping[str, tuple[str, Settings]] = {
    "conv2d": ("Conv", _convolution),
    "linear": ("Gemm", lambda case: {"transB": 1}),
    "matmul": ("MatMul", _none),
    "add": ("Add", _none),
    "sub": ("Sub", _none),
    "mul": ("Mul", _none),
    "avg_pool2d": ("AveragePool", _average),
    "adaptive_avg_pool2d": ("GlobalAveragePool", _none),
    "max_pool2d": ("MaxPool", _pool),
    "cat": ("Concat", lambda case: {"axis": case.attributes["dim"]}),
    "relu": ("Relu", _none),
    "identity": ("Identity", _none),
    "sigmoid": ("Sigmoid", _none),
    "tanh": ("Tanh", _none),
    "leaky_relu": ("LeakyRelu", lambda case: {"alpha": case.attributes["negative_slope"]}),
}


def model_of(graph: IntegerGraph, case: Case) -> tuple[Any, Mapping[str, np.ndarray]]:
    """The model and its inputs."""
    model = Model()
    reals = []
    for i, (values, on) in enumerate(zip(case.operands, case.sources, strict=True)):
        model.inputs[f"x{i}"] = np.ascontiguousarray(values)
        reals.append(model.real(f"x{i}", on))
    if case.weight is not None:
        reals += _parameters(model, graph, case)
    op, settings = OPERATORS[case.op]
    model.add(op, reals, "real", **settings(case))
    model.add("QuantizeLinear", ["real", *model.grid("y", case.target)], "y")
    return model.finish("y", case.target.dtype), model.inputs


def _parameters(model: Model, graph: IntegerGraph, case: Case) -> list[str]:
    node = node_of(graph)
    weight, bias = (graph.constants[node.constants[r]] for r in ("weight", "bias"))
    assert case.weight_scale is not None, "weights have a scale"
    scale = case.weight_scale.astype(np.float32)
    model.constants |= {
        "w": weight,
        "w_scale": scale,
        "b": bias.astype(np.int32),
        "b_scale": scale * np.float32(case.sources[0].scale),
    }
    return [
        model.add("DequantizeLinear", [name, f"{name}_scale"], f"{name}_real", axis=0)
        for name in ("w", "b")
    ]


def unfused(graph: IntegerGraph, case: Case) -> np.ndarray:
    return by_onnxruntime(*model_of(graph, case), fused=False)


def reference(graph: IntegerGraph, case: Case) -> np.ndarray:
    return by_reference(*model_of(graph, case))

"""The quantized operators of onnxruntime, each as a model of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, node_of
from tests.conformance.onnx_model import MICROSOFT, Model, by_onnxruntime


def _start(case: Case) -> tuple[Model, list[list[str]], list[str]]:
    """The model, per operand its name, scale and zero point, and those of the result."""
    model = Model()
    operands = []
    for i, (values, on) in enumerate(zip(case.operands, case.sources, strict=True)):
        model.inputs[f"x{i}"] = np.ascontiguousarray(values)
        operands.append([f"x{i}", *model.grid(f"x{i}", on)])
    return model, operands, model.grid("y", case.target)


def _run(model: Model, case: Case) -> np.ndarray:
    return by_onnxruntime(model.finish("y", case.target.dtype), model.inputs, fused=True)


def _weights(model: Model, graph: IntegerGraph, case: Case) -> tuple[list[str], str]:
    node = node_of(graph)
    weight, bias = (graph.constants[node.constants[r]] for r in ("weight", "bias"))
    assert case.weight_scale is not None, "weights have a scale"
    model.constants |= {
        "w": weight,
        "w_scale": case.weight_scale.astype(np.float32),
        "w_zero": np.zeros(case.weight_scale.size, np.int8),
        "b": bias.astype(np.int32),
    }
    return ["w", "w_scale", "w_zero"], "b"


def convolution(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, (x,), y = _start(case)
    weight, bias = _weights(model, graph, case)
    a = case.attributes
    model.add(
        "QLinearConv",
        [*x, *weight, *y, bias],
        "y",
        kernel_shape=a["kernel"],
        strides=a["stride"],
        pads=a["padding"],
        dilations=a["dilation"],
        group=a["groups"],
    )
    return _run(model, case)


def linear(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, (x,), y = _start(case)
    weight, bias = _weights(model, graph, case)
    model.constants["w"] = np.ascontiguousarray(model.constants["w"].T)
    model.add("QGemm", [*x, *weight, bias, *y], "y", MICROSOFT)
    return _run(model, case)


def product(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, (left, right), y = _start(case)
    model.add("QLinearMatMul", [*left, *right, *y], "y")
    return _run(model, case)


def binary(op: str, graph: IntegerGraph, case: Case) -> np.ndarray:
    model, (left, right), y = _start(case)
    model.add(op, [*left, *right, *y], "y", MICROSOFT)
    return _run(model, case)


def average(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, (x,), y = _start(case)
    a = case.attributes
    settings = {"kernel_shape": a["kernel"], "strides": a["stride"], "pads": a["padding"]}
    model.add("QLinearAveragePool", [*x, *y], "y", MICROSOFT, count_include_pad=1, **settings)
    return _run(model, case)


def image_mean(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, (x,), y = _start(case)
    model.add("QLinearGlobalAveragePool", [*x, *y], "y", MICROSOFT, channels_last=0)
    return _run(model, case)


def maximum(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, (x,), _ = _start(case)
    a = case.attributes
    settings = {"kernel_shape": a["kernel"], "strides": a["stride"], "pads": a["padding"]}
    model.add("MaxPool", [x[0]], "y", **settings)
    return _run(model, case)


def joined(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, operands, y = _start(case)
    inputs = [*y, *(name for operand in operands for name in operand)]
    model.add("QLinearConcat", inputs, "y", MICROSOFT, axis=case.attributes["dim"])
    return _run(model, case)


def leaky(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, (x,), y = _start(case)
    slope = case.attributes["negative_slope"]
    model.add("QLinearLeakyRelu", [*x, *y], "y", MICROSOFT, alpha=slope)
    return _run(model, case)


def sigmoid(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, (x,), y = _start(case)
    model.add("QLinearSigmoid", [*x, *y], "y", MICROSOFT)
    return _run(model, case)


def softmax(graph: IntegerGraph, case: Case) -> np.ndarray:
    model, (x,), y = _start(case)
    model.add("QLinearSoftmax", [*x, *y], "y", MICROSOFT, axis=case.attributes["dim"], opset=21)
    return _run(model, case)


def _of(op: str) -> Callable[[IntegerGraph, Case], np.ndarray]:
    return lambda graph, case: binary(op, graph, case)


RUNTIMES: Mapping[str, Callable[[IntegerGraph, Case], np.ndarray]] = {
    "QLinearConv": convolution,
    "QGemm": linear,
    "QLinearMatMul": product,
    "QLinearAdd": _of("QLinearAdd"),
    "QLinearMul": _of("QLinearMul"),
    "QLinearAveragePool": average,
    "QLinearGlobalAveragePool": image_mean,
    "MaxPool": maximum,
    "QLinearConcat": joined,
    "QLinearLeakyRelu": leaky,
    "QLinearSigmoid": sigmoid,
    "QLinearSoftmax": softmax,
}

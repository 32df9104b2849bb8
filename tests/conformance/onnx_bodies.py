"""What an operator is on floats in ONNX: the nodes between DequantizeLinear and QuantizeLinear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tests.conformance.litert_case import Case
from tests.conformance.onnx_model import Model

Body = Callable[[Model, list[str], Case], str]
"""Adds nodes behind the operands' floats and gives the name of the result."""
NAME = "real"


def _one(op: str, settings: Callable[[Case], Mapping[str, Any]] = lambda case: {}) -> Body:
    return lambda model, reals, case: model.add(op, reals, NAME, **settings(case))


def _held(model: Model, name: str, values: Any) -> str:
    model.constants[name] = np.asarray(values)
    return name


def _window(case: Case) -> Mapping[str, Any]:
    a = case.attributes
    return {
        "kernel_shape": a["kernel"],
        "strides": a["stride"],
        "pads": a["padding"],
        "dilations": a["dilation"],
        "group": a["groups"],
    }


def _transposed(case: Case) -> Mapping[str, Any]:
    return {**_window(case), "output_padding": case.attributes["output_padding"]}


def _pool(case: Case) -> Mapping[str, Any]:
    a = case.attributes
    return {"kernel_shape": a["kernel"], "strides": a["stride"], "pads": a["padding"]}


def _average(case: Case) -> Mapping[str, Any]:
    return {**_pool(case), "count_include_pad": 1}


def _clipped(model: Model, reals: list[str], case: Case) -> str:
    low, high = (0.0, 6.0) if case.op == "relu6" else (case.attributes[n] for n in ("low", "high"))
    ends = [_held(model, n, np.float32(v)) for n, v in (("low", low), ("high", high))]
    return model.add("Clip", [*reals, *ends], NAME)


def _gated(model: Model, reals: list[str], case: Case) -> str:
    gate = model.add("Sigmoid", reals, "gate")
    return model.add("Mul", [*reals, gate], NAME)


def _rooted(model: Model, reals: list[str], case: Case) -> str:
    root = model.add("Sqrt", reals, "root")
    return model.add("Reciprocal", [root], NAME)


def _with_number(op: str) -> Body:
    def body(model: Model, reals: list[str], case: Case) -> str:
        number = _held(model, "number", np.float32(case.attributes["scalar"]))
        both = [number, *reals] if case.attributes.get("reflected") else [*reals, number]
        return model.add(op, both, NAME)

    return lambda model, reals, case: (
        body(model, reals, case) if "scalar" in case.attributes else model.add(op, reals, NAME)
    )


def _reduced(op: str) -> Body:
    def body(model: Model, reals: list[str], case: Case) -> str:
        a = case.attributes
        dims = a["dims"] if "dims" in a else (a["dim"],)
        axes = _held(model, "axes", np.array(dims, np.int64))
        return model.add(op, [*reals, axes], NAME, keepdims=int(a["keepdim"]))

    return body


def _prelu(model: Model, reals: list[str], case: Case) -> str:
    slopes = np.asarray(case.weight, np.float32)
    return model.add("PRelu", [*reals, _held(model, "slopes", slopes)], NAME)


def _resized(model: Model, reals: list[str], case: Case) -> str:
    a, shape = case.attributes, case.operands[0].shape
    mode = "linear" if a["mode"] == "bilinear" else "nearest"
    where = "align_corners" if a["align_corners"] else "half_pixel"
    settings: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": where}
    if mode == "nearest":
        settings |= {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    if a["size"] is None:
        sizes = np.array([1, 1, *(a["factor"] * 2)[:2]], np.float32)
        return model.add("Resize", [*reals, "", _held(model, "scales", sizes)], NAME, **settings)
    sizes = np.array([*shape[:2], *a["size"]], np.int64)
    return model.add("Resize", [*reals, "", "", _held(model, "sizes", sizes)], NAME, **settings)


def _filled(model: Model, reals: list[str], case: Case) -> str:
    value = _held(model, "value", np.float32(case.attributes["value"]))
    return model.add("Where", [reals[1], value, reals[0]], NAME)


UNARY = {
    **{n: n.capitalize() for n in ("acos", "acosh", "asin", "asinh", "atan", "atanh")},
    **{n: n.capitalize() for n in ("cos", "cosh", "sin", "sinh", "tan", "tanh")},
    **{n: n.capitalize() for n in ("abs", "neg", "erf", "exp", "log", "sqrt", "reciprocal")},
    **{n: n.capitalize() for n in ("floor", "ceil", "mish", "selu", "softplus", "sigmoid")},
    **{n: n.capitalize() for n in ("gelu", "relu", "identity")},
    "hard_swish": "HardSwish",
}
BODIES: Mapping[str, Body] = {
    **{name: _one(op) for name, op in UNARY.items()},
    **dict.fromkeys(("relu6", "clamp"), _clipped),
    **{name: _with_number(name.capitalize()) for name in ("add", "sub", "mul", "div", "pow")},
    "elu": _one("Elu", lambda case: {"alpha": case.attributes["alpha"]}),
    "hard_sigmoid": _one("HardSigmoid", lambda case: {"alpha": 1 / 6, "beta": 0.5}),
    "silu": _gated,
    "rsqrt": _rooted,
    "leaky_relu": _one("LeakyRelu", lambda case: {"alpha": case.attributes["negative_slope"]}),
    "prelu": _prelu,
    "conv1d": _one("Conv", _window),
    "conv2d": _one("Conv", _window),
    "conv3d": _one("Conv", _window),
    "conv_transpose2d": _one("ConvTranspose", _transposed),
    "linear": _one("Gemm", lambda case: {"transB": 1}),
    "matmul": _one("MatMul"),
    "maximum": _one("Max"),
    "minimum": _one("Min"),
    "where": _one("Where"),
    "masked_fill": _filled,
    "avg_pool2d": _one("AveragePool", _average),
    "adaptive_avg_pool2d": _one("GlobalAveragePool"),
    "max_pool2d": _one("MaxPool", _pool),
    "cat": _one("Concat", lambda case: {"axis": case.attributes["dim"]}),
    "softmax": _one("Softmax", lambda case: {"axis": case.attributes["dim"]}),
    "mean": _reduced("ReduceMean"),
    "sum": _reduced("ReduceSum"),
    "amax": _reduced("ReduceMax"),
    "amin": _reduced("ReduceMin"),
    "upsample": _resized,
}

"""curves: functions of ONNX that take one tensor, value by value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from qflow.frontends.aten import Unknown
from qflow.frontends.imported import Value
from qflow.frontends.onnx_graph import Reader
from qflow.frontends.onnx_values import Node

Operator = Callable[[Reader, Node], Any]


def _of(function: Any, **defaults: tuple[str, float]) -> Operator:
    """`defaults`: what torch calls a setting, its name here and its value where it is not said."""

    def add(read: Reader, node: Node) -> Value:
        given = {k: node.attributes.get(n, d) for k, (n, d) in defaults.items()}
        return read.add(function, read.tensor(node, 0), **given)

    return add


def _hard_sigmoid(read: Reader, node: Node) -> Value:
    alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    x = read.tensor(node, 0)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return read.add(functional.hardsigmoid, x)
    scaled = read.add(torch.add, read.add(torch.mul, x, alpha), beta)
    return read.add(torch.clamp, scaled, 0.0, 1.0)


def _gelu(read: Reader, node: Node) -> Value:
    how = node.attributes.get("approximate", "none")
    return read.add(functional.gelu, read.tensor(node, 0), approximate=how)


def _elu(read: Reader, node: Node) -> Value:
    return read.add(functional.elu, read.tensor(node, 0), alpha=node.attributes.get("alpha", 1.0))


def _selu(read: Reader, node: Node) -> Value:
    if {"alpha", "gamma"} & set(node.attributes):
        alpha, gamma = (round(node.attributes.get(k, 0), 3) for k in ("alpha", "gamma"))
        if (alpha, gamma) != (1.673, 1.051):
            raise Unknown("has other constants than torch")
    return read.add(functional.selu, read.tensor(node, 0))


def _prelu(read: Reader, node: Node) -> Value:
    slope = read.constant(node, 1)
    name = node.inputs[1]
    held = read.recipe.hold(
        f"_weights.{''.join(c if c.isalnum() else '_' for c in name)}_slope",
        torch.tensor(slope.reshape(-1)),
    )
    if slope.size != max(slope.shape, default=1):
        raise Unknown("has a slope for more than the channels")
    return read.add(functional.prelu, read.tensor(node, 0), weight=held)


def _clip(read: Reader, node: Node) -> Value:
    if read.opset < 11:
        low, high = node.attributes.get("min"), node.attributes.get("max")
    else:
        low, high = (read.operand(node, i) if read.given(node, i) else None for i in (1, 2))
    x = read.tensor(node, 0)
    if not all(n is None or isinstance(n, (int, float)) for n in (low, high)):
        raise Unknown("computes its bounds")
    if (low, high) == (0, 6):
        return read.add(functional.relu6, x)
    if low is not None and high is not None:
        return read.add(functional.hardtanh, x, min_val=low, max_val=high)
    if low is None and high is None:
        return read.add("clone", x, method=True)
    return read.add(torch.clamp, x, **({"min": low} if high is None else {"max": high}))


def _dropout(read: Reader, node: Node) -> Value:
    if len(node.inputs) > 2 and read.given(node, 2) and bool(read.constant(node, 2)):
        raise Unknown("is in training mode: export the model after `model.eval()`")
    return read.add(functional.dropout, read.tensor(node, 0), p=0.5, training=False)


def _softplus(read: Reader, node: Node) -> Value:
    return read.add(functional.softplus, read.tensor(node, 0))


_SAME_NAMES = (
    *("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Erf"),
    *("Exp", "Floor", "Log", "Neg", "Reciprocal", "Round", "Sin", "Sinh", "Sign", "Sqrt", "Tan"),
    *("Sigmoid", "Tanh"),
)
OPS: dict[str, Operator] = {
    **{name: _of(getattr(torch, name.lower())) for name in _SAME_NAMES},
    "Relu": _of(functional.relu),
    "LeakyRelu": _of(functional.leaky_relu, negative_slope=("alpha", 0.01)),
    "HardSwish": _of(functional.hardswish),
    "Mish": _of(functional.mish),
    "Softplus": _softplus,
    "HardSigmoid": _hard_sigmoid,
    "Gelu": _gelu,
    "Elu": _elu,
    "Selu": _selu,
    "PRelu": _prelu,
    "Clip": _clip,
    "Dropout": _dropout,
    "Not": _of(torch.logical_not),
}

"""norms: normalizations of ONNX, and softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from qflow.frontends.aten import Unknown
from qflow.frontends.imported import Value
from qflow.frontends.onnx_graph import Reader
from qflow.frontends.onnx_values import Node


def _eps(node: Node) -> dict[str, Any]:
    """As written, not as the nearest float32: 1e-5 is 1e-5."""
    eps = float(str(np.float32(node.attributes.get("epsilon", 1e-5))))
    return {} if eps == 1e-5 else {"eps": eps}


def _batch_norm(read: Reader, node: Node) -> Value:
    if node.attributes.get("training_mode", 0):
        raise Unknown("is in training mode: export the model after `model.eval()`")
    names = ("weight", "bias", "running_mean", "running_var")
    given = {}
    for i, name in enumerate(names, start=1):
        read.constant(node, i)
        given[name] = read.tensor(node, i)
    shape = read.shape(node, 0)
    # torch has a class per rank; where nobody tells the rank it stays a function
    dims = {2: 1, 3: 1, 4: 2, 5: 3}.get(len(shape)) if shape is not None else None
    cls = f"torch.nn.modules.batchnorm.BatchNorm{dims}d" if dims else ""
    x = read.tensor(node, 0)
    return read.add(functional.batch_norm, x, cls=cls, **given, **_eps(node))


def _layer_norm(read: Reader, node: Node) -> Any:
    axis = node.attributes.get("axis", -1)
    weight = read.constant(node, 1)
    if len(node.outputs) > 1 and any(node.outputs[1:]):
        raise Unknown("returns its statistics")
    count = -axis if axis < 0 else read.rank(node) - axis
    if weight.ndim != count:
        raise Unknown("has a weight of another shape than what it normalizes")
    given = {"weight": read.tensor(node, 1)}
    if read.given(node, 2):
        read.constant(node, 2)
        given["bias"] = read.tensor(node, 2)
    shape = tuple(weight.shape)
    x = read.tensor(node, 0)
    return read.add(functional.layer_norm, x, normalized_shape=shape, **given, **_eps(node))


def _group_norm(read: Reader, node: Node) -> Value:
    channels = read.constant(node, 1).size
    groups = node.attributes["num_groups"]
    if read.opset < 21 and channels == groups:
        raise Unknown("has a weight per group, which opset 21 gave up")
    given = {"weight": read.tensor(node, 1), "bias": read.tensor(node, 2)}
    x = read.tensor(node, 0)
    return read.add(functional.group_norm, x, num_groups=groups, **given, **_eps(node))


def _instance_norm(read: Reader, node: Node) -> Value:
    given = {"weight": read.tensor(node, 1), "bias": read.tensor(node, 2)}
    return read.add(functional.instance_norm, read.tensor(node, 0), **given, **_eps(node))


def _softmax(function: Any) -> Any:
    def add(read: Reader, node: Node) -> Value:
        axis = node.attributes.get("axis", 1 if read.opset < 13 else -1)
        if read.opset < 13 and axis not in (-1, read.rank(node) - 1):
            raise Unknown("goes over several dimensions at once, as before opset 13")
        return read.add(function, read.tensor(node, 0), dim=axis)

    return add


def _l2(read: Reader, node: Node) -> Value:
    axis = node.attributes.get("axis", -1)
    x = read.tensor(node, 0)
    total = read.add(torch.sum, read.add(torch.mul, x, x), axis, True)
    return read.add(torch.div, x, read.add(torch.sqrt, total))


OPS = {
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "InstanceNormalization": _instance_norm,
    "Softmax": _softmax(functional.softmax),
    "LogSoftmax": _softmax(functional.log_softmax),
    "LpNormalization": _l2,
}

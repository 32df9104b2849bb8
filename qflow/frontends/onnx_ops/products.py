"""products: convolutions and matrix products of ONNX."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from qflow.frontends.aten import Unknown
from qflow.frontends.imported import Value
from qflow.frontends.onnx_graph import Reader
from qflow.frontends.onnx_ops.windows import padded, window
from qflow.frontends.onnx_values import Constant, Node


def _conv(read: Reader, node: Node) -> Value:
    weight = read.constant(node, 1)
    rank = weight.ndim - 2
    function = getattr(functional, f"conv{rank}d", None)
    if function is None:
        raise Unknown(f"is a convolution over {rank} dimensions")
    found = window(read, node, weight.shape[2:])
    x, pads = padded(read, node, found, 0.0)
    settings = _unusual(stride=found.stride, padding=pads, dilation=found.dilation)
    groups = node.attributes.get("group", 1)
    if groups != 1:
        settings["groups"] = groups
    return read.add(function, x, **_weights(read, node), **settings)


def _conv_transpose(read: Reader, node: Node) -> Value:
    weight = read.constant(node, 1)
    function = getattr(functional, f"conv_transpose{weight.ndim - 2}d", None)
    if function is None or node.attributes.get("output_shape"):
        raise Unknown("has a form of a transposed convolution that torch has not")
    found = window(read, node, weight.shape[2:])
    half = len(found.pads) // 2
    if found.pads[:half] != found.pads[half:] or node.attributes.get("auto_pad", "NOTSET") not in (
        "NOTSET",
        "VALID",
    ):
        raise Unknown("pads its sides differently")
    more = tuple(node.attributes.get("output_padding", (0,) * half))
    settings = _unusual(
        stride=found.stride,
        padding=found.pads[:half],
        dilation=found.dilation,
        output_padding=more,
    )
    groups = node.attributes.get("group", 1)
    if groups != 1:
        settings["groups"] = groups
    return read.add(function, read.tensor(node, 0), **_weights(read, node), **settings)


def _unusual(**settings: tuple[int, ...]) -> dict[str, Any]:
    usual = {"stride": 1, "dilation": 1, "padding": 0, "output_padding": 0}
    return {k: v for k, v in settings.items() if any(n != usual[k] for n in v)}


def _weights(read: Reader, node: Node) -> dict[str, Any]:
    found = {"weight": read.tensor(node, 1)}
    if read.given(node, 2):
        read.constant(node, 2)
        found["bias"] = read.tensor(node, 2)
    return found


def _gemm(read: Reader, node: Node) -> Value:
    said = node.attributes
    plain = said.get("alpha", 1.0) == 1.0 and said.get("beta", 1.0) == 1.0
    weight = read.known(node, 1)
    bias = read.known(node, 2) if read.given(node, 2) else None
    if plain and not said.get("transA", 0) and isinstance(weight, Constant):
        if bias is None or (isinstance(bias, Constant) and _is_bias(bias, weight, said)):
            held = read.held(weight if said.get("transB", 0) else _turned(weight))
            given = {} if bias is None else {"bias": read.held(_flat(bias))}
            return read.add(functional.linear, read.tensor(node, 0), weight=held, **given)
    a, b = (
        read.add(torch.transpose, x, 0, 1) if said.get(name, 0) else x
        for x, name in ((read.tensor(node, 0), "transA"), (read.tensor(node, 1), "transB"))
    )
    result = read.add(torch.matmul, a, b)
    if said.get("alpha", 1.0) != 1.0:
        result = read.add(operator.mul, result, said["alpha"])
    if bias is None:
        return result
    other = read.operand(node, 2)
    if said.get("beta", 1.0) != 1.0:
        other = read.add(operator.mul, other, said["beta"])
    return read.add(operator.add, result, other)


def _is_bias(bias: Constant, weight: Constant, said: Any) -> bool:
    outer = weight.array.shape[0 if said.get("transB", 0) else 1]
    return bias.array.size == outer and bias.array.shape in ((outer,), (1, outer))


def _flat(bias: Constant) -> Constant:
    if bias.array.ndim == 1:
        return bias
    return Constant(f"{bias.name}_flat", bias.array.reshape(-1))


def _turned(weight: Constant) -> Constant:
    if weight.turned is not None:
        return weight.turned
    return Constant(f"{weight.name}_t", np.ascontiguousarray(weight.array.T))


def _matmul(read: Reader, node: Node) -> Value:
    """With a matrix of the file it is a linear, and the bias behind it is its own."""
    weight = read.known(node, 1)
    if not isinstance(weight, Constant) or weight.array.ndim != 2:
        return read.add(torch.matmul, read.tensor(node, 0), read.tensor(node, 1))
    given = {"weight": read.held(_turned(weight))}
    if (after := read.only_reader(node, "Add")) is not None:
        other = next((i for i, n in enumerate(after.inputs) if n != node.outputs[0]), None)
        bias = None if other is None else _known(read, after, other)
        if isinstance(bias, Constant) and bias.array.shape == (weight.array.shape[1],):
            made = read.add(functional.linear, read.tensor(node, 0), **given, bias=read.held(bias))
            read.finish(after, made)
            return made
    return read.add(functional.linear, read.tensor(node, 0), **given)


def _known(read: Reader, node: Node, index: int) -> Any:
    try:
        return read.known(node, index)
    except Unknown:
        # made further down
        return None


def _einsum(read: Reader, node: Node) -> Value:
    operands = [read.tensor(node, i) for i in range(len(node.inputs))]
    return read.add(torch.einsum, str(node.attributes["equation"]), *operands)


OPS = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Einsum": _einsum,
}

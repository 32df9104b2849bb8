"""tpu_mlir: int8 emulated in float32 tensors, as the interpreter of TPU-MLIR does it.

Every operator runs in floats that hold integers: a float32 convolution or product, then the scale,
the rounding and the clamp, each as a pass over the whole tensor. A multiplier of 31 bits does not
fit float32, so a value next to a tie may come out one step off: one in 100,000 of the convolutions
of ResNet-18 and MobileNet-v2. Sums and averages have multipliers of 8 bits, and are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.emulation.graph import IntegerGraph, Node
from qflow.emulation.runtimes._calls import last_uses

MARCH = "bm1684x"
PROFILE = "sophgo.bm1684x.interpreter"
"""The integers this emulates."""
Operator = Callable[..., Tensor]
Constants = Mapping[str, np.ndarray]


class Emulation(nn.Module):
    """Images float32 [N, C, H, W] to what the graph's only output is, float32.

    `graph` is lowered for `PROFILE`. Raises NotImplementedError for an operator it does not know.
    """

    def __init__(self, graph: IntegerGraph) -> None:
        super().__init__()
        self.graph = graph
        self.operators = {n.id: operator(graph, n) for n in graph.nodes if n.op != "input"}
        self.free = last_uses(graph, ())

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        values = {self.graph.inputs[0]: images}
        for node in self.graph.nodes:
            if node.op != "input":
                values[node.id] = self.operators[node.id](*(values[i] for i in node.inputs))
            for source in self.free[node.id]:
                del values[source]
        return values[self.graph.outputs[0][1]]


def operator(graph: IntegerGraph, node: Node) -> Operator:
    """What computes a node, from tensors of integers in float32."""
    if node.op not in OPERATORS:
        raise NotImplementedError(f"`{node.address}` ({node.op}) is not emulated")
    constants = {role: graph.constants[key] for role, key in node.constants.items()}
    return OPERATORS[node.op](graph, node, constants)


def rescaled(values: Tensor, factor: Tensor | float, a: Mapping[str, Any]) -> Tensor:
    """One pass each: times the scale, a half to each, down to the integer below, clamped."""
    return values.mul_(factor).add_(0.5).floor_().clamp_(a["low"], a["high"])


def factor(constants: Constants, prefix: str = "") -> np.ndarray:
    """multiplier / 2^shift, float32, one or one per channel."""
    exact = np.ldexp(
        constants[f"{prefix}multiplier"].astype(np.float64), -constants[f"{prefix}shift"]
    )
    return exact.astype(np.float32)


def quantize(graph: IntegerGraph, node: Node, constants: Constants) -> Operator:
    """Halves away from zero."""
    a, scale = node.attributes, float(constants["factor"][0])

    def run(x: Tensor) -> Tensor:
        product = x * scale
        away = product.abs().add_(0.5).floor_().copysign_(product)
        return away.clamp_(a["low"], a["high"])

    return run


def conv2d(graph: IntegerGraph, node: Node, constants: Constants) -> Operator:
    a = node.attributes
    top, left, bottom, right = a["padding"]
    scale = torch.from_numpy(factor(constants)).reshape(-1, 1, 1)
    weight, bias = (torch.from_numpy(constants[k]).float() for k in ("weight", "bias"))
    weight = weight.to(memory_format=torch.channels_last)

    def run(x: Tensor) -> Tensor:
        if (top, left) != (bottom, right):
            x = functional.pad(x, (left, right, top, bottom))
        even = (top, left) if (top, left) == (bottom, right) else 0
        sums = functional.conv2d(x, weight, bias, a["stride"], even, a["dilation"], a["groups"])
        return rescaled(sums, scale, a)

    return run


def linear(graph: IntegerGraph, node: Node, constants: Constants) -> Operator:
    scale = torch.from_numpy(factor(constants))
    weight, bias = (torch.from_numpy(constants[k]).float() for k in ("weight", "bias"))
    return lambda x: rescaled(functional.linear(x, weight, bias), scale, node.attributes)


def add(graph: IntegerGraph, node: Node, constants: Constants) -> Operator:
    """Each operand rescaled and rounded by itself."""
    if node.attributes["form"] != "two":
        raise NotImplementedError(f"`{node.address}` (add) of a constant is not emulated")
    left, right = (float(factor(constants, side)[0]) for side in ("left_", "right_"))
    low, high = node.attributes["low"], node.attributes["high"]

    def run(x: Tensor, y: Tensor) -> Tensor:
        x, y = (v.mul(s).add_(0.5).floor_() for v, s in ((x, left), (y, right)))
        return x.add_(y).clamp_(low, high)

    return run


def mean(graph: IntegerGraph, node: Node, constants: Constants) -> Operator:
    """The count is part of the multiplier."""
    a, scale = node.attributes, float(factor(constants)[0])
    return lambda x: rescaled(x.sum(a["dims"], a["keepdim"]), scale, a)


def max_pool2d(graph: IntegerGraph, node: Node, constants: Constants) -> Operator:
    a = node.attributes
    if a["padding"][:2] != a["padding"][2:]:
        raise NotImplementedError(f"`{node.address}` (max_pool2d) pads unevenly")
    size = (a["kernel"], a["stride"], a["padding"][:2], a["dilation"])
    return lambda x: functional.max_pool2d(x, *size)


def relu(graph: IntegerGraph, node: Node, constants: Constants) -> Operator:
    return lambda x: x.relu()


def flatten(graph: IntegerGraph, node: Node, constants: Constants) -> Operator:
    a = node.attributes
    return lambda x: x.flatten(a["start"], a["end"])


def dequantize(graph: IntegerGraph, node: Node, constants: Constants) -> Operator:
    scale = graph.by_id[node.inputs[0]].output.scale
    assert scale is not None, "what is dequantized lies on a grid"
    return lambda x: x * float(scale[0])


OPERATORS: Mapping[str, Callable[[IntegerGraph, Node, Constants], Operator]] = {
    "quantize": quantize,
    "conv2d": conv2d,
    "linear": linear,
    "add": add,
    "mean": mean,
    "max_pool2d": max_pool2d,
    "relu": relu,
    "flatten": flatten,
    "dequantize": dequantize,
}
"""By the graph's name of the operator."""

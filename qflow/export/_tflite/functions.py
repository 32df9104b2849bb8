"""functions: operators of one value that TFLite has kernels for, and SOFTMAX."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.op import runnable
from qflow.emulation.profile import profile
from qflow.emulation.runtimes._calls import call_of
from qflow.export._tflite import tables
from qflow.export._tflite.context import Context, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from qflow.emulation.graph import Node

OWN = {
    "exp": ("EXP", "Exp", 2),
    "log": ("LOG", "", 2),
    "sqrt": ("SQRT", "", 2),
    "rsqrt": ("RSQRT", "", 2),
    "sigmoid": ("LOGISTIC", "", 2),
    "tanh": ("TANH", "", 2),
    "hard_swish": ("HARD_SWISH", "HardSwish", 1),
}
"""Those without settings: operator, options, version."""


def own(node: Node, context: Context) -> None:
    name, options, version = OWN[node.op]
    made = context.put(name, context.inputs(node), context.like(node), options, version)
    context.finish(node, made)


def gelu(node: Node, context: Context) -> None:
    """GELU, exact or by a tanh: whichever its table is made of."""
    by_tanh = _distance(node, context, _by_tanh) < _distance(node, context, _exact)
    made = context.put(
        "GELU", context.inputs(node), context.like(node), "Gelu", 2, approximate=bool(by_tanh)
    )
    context.finish(node, made)


def softmax(node: Node, context: Context) -> None:
    """SOFTMAX along the last axis."""
    if node.attributes["dim"] != len(node.output.shape) - 1:
        raise refused(node, "SOFTMAX runs along the last axis")
    made = context.put("SOFTMAX", context.inputs(node), context.like(node), "Softmax", 3, beta=1.0)
    context.finish(node, made)


def looked_up(node: Node, context: Context) -> None:
    """A function without an operator of its own here."""
    tables.of_node(node, context)


def _distance(node: Node, context: Context, function: Callable[[float], float]) -> float:
    """How far the node's integers are from a function, over every int8 or each 64th int16."""
    source, output = context.type_of(node.inputs[0]), node.output
    assert source.scale is not None, "it reads a grid"
    assert output.scale is not None, "it writes a grid"
    info = np.iinfo(source.dtype)
    every = np.arange(info.min, info.max + 1, 1 if source.dtype == "int8" else 64)
    rule = profile(context.graph.profile)
    call = call_of(context.graph, node, rule)
    found = runnable(node.op, rule.own).oracle(call, every)
    real = (every - source.zero_point) * float(source.scale[0])
    wanted = np.array([function(v) for v in real]) / float(output.scale[0]) + output.zero_point
    limits = np.iinfo(output.dtype)
    return float(np.abs(np.clip(wanted, limits.min, limits.max) - found).sum())


def _exact(x: float) -> float:
    return 0.5 * x * math.erfc(-x * math.sqrt(0.5))


def _by_tanh(x: float) -> float:
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

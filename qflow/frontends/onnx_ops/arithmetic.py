"""arithmetic: functions of ONNX that take two tensors or more, value by value.

On sizes they are arithmetic of whole numbers, which the model does anew for every shape.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import torch

from qflow.frontends.aten import Unknown
from qflow.frontends.imported import Value
from qflow.frontends.onnx_graph import Reader
from qflow.frontends.onnx_values import Constant, Known, Node, Sizes

Operator = Callable[[Reader, Node], Any]


def _of(function: Any, whole: Any, array: Any) -> Operator:
    """`whole` is what it does to numbers of shapes, `array` to tensors of the file."""

    def add(read: Reader, node: Node) -> Any:
        a, b = read.known(node, 0), read.known(node, 1)
        if isinstance(a, Constant) and isinstance(b, Constant):
            return Constant(node.outputs[0], np.asarray(array(a.array, b.array)))
        if isinstance(a, Sizes) or isinstance(b, Sizes):
            return _sizes(read, whole, _items(a), _items(b))
        return read.add(function, read.operand(node, 0), read.operand(node, 1))

    return add


def _items(value: Known) -> Sizes:
    if isinstance(value, Sizes):
        return value
    if not isinstance(value, Constant) or value.array.dtype.kind not in "iu":
        raise Unknown("mixes the shape of a tensor with values")
    items = tuple(int(v) for v in value.array.reshape(-1))
    return Sizes(items, value.array.ndim == 0)


def _sizes(read: Reader, function: Any, a: Sizes, b: Sizes) -> Sizes:
    length = max(len(a.items), len(b.items))
    if {len(a.items), len(b.items)} - {1, length}:
        raise Unknown("computes with shapes of different lengths")

    def one(x: int | Value, y: int | Value) -> int | Value:
        if isinstance(x, int) and isinstance(y, int):
            return int(function(x, y))
        return read.add(function, x, y)

    pairs = zip(_wide(a, length), _wide(b, length), strict=True)
    return Sizes(tuple(one(x, y) for x, y in pairs), a.scalar and b.scalar)


def _wide(value: Sizes, length: int) -> tuple[int | Value, ...]:
    return value.items * length if len(value.items) == 1 else value.items


def _divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whole numbers are cut towards zero."""
    if a.dtype.kind in "iu":
        return np.trunc(a / b).astype(a.dtype)
    return np.asarray(a / b)


def _folded(function: Any) -> Operator:
    """Of any number of tensors."""

    def add(read: Reader, node: Node) -> Value:
        operands = [read.tensor(node, i) for i in range(len(node.inputs))]
        return reduce(lambda a, b: read.add(function, a, b), operands)  # type: ignore[return-value]

    return add


def _mean(read: Reader, node: Node) -> Value:
    total = _folded(operator.add)(read, node)
    return read.add(operator.truediv, total, float(len(node.inputs)))


def _where(read: Reader, node: Node) -> Value:
    return read.add(torch.where, read.tensor(node, 0), read.operand(node, 1), read.operand(node, 2))


def _compared(function: Any) -> Operator:
    return lambda read, node: read.add(function, read.operand(node, 0), read.operand(node, 1))


OPS: dict[str, Operator] = {
    "Add": _of(operator.add, operator.add, np.add),
    "Sub": _of(operator.sub, operator.sub, np.subtract),
    "Mul": _of(operator.mul, operator.mul, np.multiply),
    "Div": _of(operator.truediv, operator.floordiv, _divided),
    "Mod": _compared(torch.remainder),
    "Pow": _compared(torch.pow),
    "Min": _folded(torch.minimum),
    "Max": _folded(torch.maximum),
    "Sum": _folded(operator.add),
    "Mean": _mean,
    "Where": _where,
    "Equal": _compared(torch.eq),
    "Less": _compared(torch.lt),
    "LessOrEqual": _compared(torch.le),
    "Greater": _compared(torch.gt),
    "GreaterOrEqual": _compared(torch.ge),
    "And": _compared(torch.logical_and),
    "Or": _compared(torch.logical_or),
}

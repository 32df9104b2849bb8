"""reductions: functions of ONNX over whole dimensions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch

from qflow.frontends.aten import Unknown
from qflow.frontends.imported import Value
from qflow.frontends.onnx_graph import Reader
from qflow.frontends.onnx_values import Node

Operator = Callable[[Reader, Node], Any]


def _of(function: Any) -> Operator:
    def add(read: Reader, node: Node) -> Value:
        x = read.tensor(node, 0)
        axes = _axes(read, node)
        if axes == ():
            return read.add("clone", x, method=True)
        if axes is None:
            axes = tuple(range(read.rank(node)))
        return read.add(function, x, axes, bool(node.attributes.get("keepdims", 1)))

    return add


def _axes(read: Reader, node: Node) -> tuple[int, ...] | None:
    """None: all of them; none at all where the operator then does nothing."""
    if "axes" in node.attributes:
        return tuple(node.attributes["axes"])
    if read.given(node, 1):
        found = tuple(read.numbers(node, 1))
        if not all(isinstance(n, int) for n in found):
            raise Unknown("computes its axes")
        return found or _none(node)
    return _none(node)


def _none(node: Node) -> tuple[int, ...] | None:
    return () if node.attributes.get("noop_with_empty_axes", 0) else None


def _l2(read: Reader, node: Node) -> Value:
    x = read.tensor(node, 0)
    axes = _axes(read, node) or tuple(range(read.rank(node)))
    keep = bool(node.attributes.get("keepdims", 1))
    return read.add(torch.sqrt, read.add(torch.sum, read.add(torch.mul, x, x), axes, keep))


def _arg(function: Any) -> Operator:
    def add(read: Reader, node: Node) -> Value:
        if node.attributes.get("select_last_index", 0):
            raise Unknown("takes the last of equal values")
        axis, keep = node.attributes.get("axis", 0), bool(node.attributes.get("keepdims", 1))
        return read.add(function, read.tensor(node, 0), axis, keep)

    return add


def _topk(read: Reader, node: Node) -> tuple[Value, Value]:
    (count,) = read.numbers(node, 1)
    axis = node.attributes.get("axis", -1)
    largest = bool(node.attributes.get("largest", 1))
    found = read.add(torch.topk, read.tensor(node, 0), count, axis, largest)
    return read.add(operator.getitem, found, 0), read.add(operator.getitem, found, 1)


OPS: dict[str, Operator] = {
    "ReduceMean": _of(torch.mean),
    "ReduceSum": _of(torch.sum),
    "ReduceMax": _of(torch.amax),
    "ReduceMin": _of(torch.amin),
    "ReduceL2": _l2,
    "ArgMax": _arg(torch.argmax),
    "ArgMin": _arg(torch.argmin),
    "TopK": _topk,
}

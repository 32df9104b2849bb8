"""values: what every node of a graph holds on the example inputs; of tensors, only the shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx


@dataclass(frozen=True)
class Shape:
    """Stands for a tensor."""

    dims: tuple[int, ...]


def values_of(module: fx.GraphModule, inputs: Mapping[str, Tensor]) -> dict[fx.Node, Any]:
    """Node to value: a `Shape` per tensor, tuples of them, plain data for shape arithmetic."""
    interpreter = _Interpreter(module)
    placeholders = [n.target for n in module.graph.nodes if n.op == "placeholder"]
    with torch.no_grad():
        interpreter.run(*(inputs[name] for name in placeholders))
    return interpreter.found


def first_shape(value: Any) -> Shape | None:
    """The first tensor of a value; None when it holds none."""
    if isinstance(value, Shape):
        return value
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return next((s for v in value if (s := first_shape(v))), None)
    return None


class _Interpreter(fx.Interpreter):
    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.found: dict[fx.Node, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        self.found[n] = fx.node.map_aggregate(value, _shape_or_value)
        return value


def _shape_or_value(value: Any) -> Any:
    return Shape(tuple(value.shape)) if isinstance(value, Tensor) else value

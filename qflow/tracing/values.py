"""values: what every node of a graph holds on the example inputs; of tensors, only the shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from qflow.tracing import inner


def _ignore(node: fx.Node, value: Any) -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class Shape:
    """Stands for a tensor."""

    dims: tuple[int, ...]
    dtype: torch.dtype = torch.float32

    @property
    def is_float(self) -> bool:
        return self.dtype.is_floating_point


def values_of(
    module: fx.GraphModule, inputs: Sequence[Any], seen: Callable[[fx.Node, Any], None] = _ignore
) -> dict[fx.Node, Any]:
    """Node to value: a `Shape` per tensor, tuples of them, plain data for shape arithmetic.

    `inputs` has one value per placeholder; `seen` is called with every node and what it really is.
    """
    interpreter = _Interpreter(module, seen)
    with torch.no_grad():
        interpreter.run(*inputs)
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
    def __init__(self, module: fx.GraphModule, seen: Callable[[fx.Node, Any], None]) -> None:
        super().__init__(module)
        self.found: dict[fx.Node, Any] = {}
        self._seen = seen

    def run_node(self, n: fx.Node) -> Any:
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        value = inner.run(self.module, n, args, kwargs, lambda: self._run(n))
        self._seen(n, value)
        self.found[n] = fx.node.map_aggregate(value, _shape_or_value)
        return value

    def _run(self, n: fx.Node) -> Any:
        return super().run_node(n)


def _shape_or_value(value: Any) -> Any:
    return Shape(tuple(value.shape), value.dtype) if isinstance(value, Tensor) else value

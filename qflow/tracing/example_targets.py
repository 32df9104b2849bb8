"""example_targets: what a function that torch announces is called in a graph.

The names are those that symbolic tracing gives, so that both ways of tracing give one inventory.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MethodDescriptorType, WrapperDescriptorType
from typing import Any

import torch

_OPERATORS: Mapping[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "matmul": operator.matmul,
    "pow": operator.pow,
    "remainder": operator.mod,
    "add_": operator.iadd,
    "sub_": operator.isub,
    "mul_": operator.imul,
    "div_": operator.itruediv,
    "__floordiv__": operator.floordiv,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "ne": operator.ne,
    "__eq__": operator.eq,
    "__and__": operator.and_,
    "__or__": operator.or_,
    "__xor__": operator.xor,
    "__getitem__": operator.getitem,
}
"""Torch announces `a + b` and `a.add(b)` alike; they are the same operator."""
_REFLECTED: Mapping[str, Callable[..., Any]] = {
    "__rsub__": operator.sub,
    "__rdiv__": operator.truediv,
    "__rtruediv__": operator.truediv,
    "__rpow__": operator.pow,
    "__rfloordiv__": operator.floordiv,
    "__rmatmul__": operator.matmul,
    "__rmod__": operator.mod,
}
_UNARY: Mapping[str, Callable[..., Any]] = {
    "neg": operator.neg,
    "__invert__": operator.invert,
    "__abs__": operator.abs,
}

TAKES_VALUES = frozenset(
    """__bool__ __int__ __float__ __index__ __complex__ __contains__ __array__ item tolist numpy
    equal allclose is_nonzero""".split()
)
"""Functions that hand the values of a tensor to Python."""

_SIZED_BY_VALUES = frozenset(
    """nonzero argwhere masked_select unique unique_consecutive bincount nms batched_nms
    nonzero_static""".split()
)

WITHOUT_VALUES = frozenset(
    """zeros_like ones_like full_like empty_like rand_like randn_like randint_like
    new_zeros new_ones new_full new_empty new_tensor""".split()
)
"""Functions that read of a tensor no more than its shape, dtype and device."""


@dataclass(frozen=True)
class Target:
    """A node without its inputs; `args` may be in another order than they were announced."""

    op: str
    target: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def target_of(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Target:
    """How the graph names a call of a function of torch or a method of a tensor."""
    name = function.__name__
    if name == "__get__":
        return Target("call_function", getattr, (args[0], attribute_of(function)), {})
    if not is_method(function):
        return Target("call_function", function, args, kwargs)
    if len(args) == 2 and not kwargs:
        if name in _OPERATORS:
            return Target("call_function", _OPERATORS[name], args, {})
        if name in _REFLECTED:
            return Target("call_function", _REFLECTED[name], args[::-1], {})
    if len(args) == 1 and name in _UNARY:
        return Target("call_function", _UNARY[name], args, {})
    return Target("call_method", name, args, kwargs)


def is_method(function: Callable[..., Any]) -> bool:
    """Whether it is a method of a tensor, not a function of a package."""
    if isinstance(function, (MethodDescriptorType, WrapperDescriptorType)):
        return True
    return getattr(torch.Tensor, function.__name__, None) is function


def attribute_of(getter: Callable[..., Any]) -> str:
    """`shape` of the function that reads `x.shape`."""
    return str(getter.__self__.__name__)  # type: ignore[attr-defined]


def sized_by_values(function: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Whether the size of the result depends on values: `nonzero`, `x[mask]`, `where(mask)`."""
    name = function.__name__
    if name == "__getitem__":
        index = args[1] if isinstance(args[1], tuple) else (args[1],)
        return any(isinstance(i, torch.Tensor) and i.dtype is torch.bool for i in index)
    if name == "where":
        return len(args) == 1
    if name == "repeat_interleave":
        return len(args) > 1 and isinstance(args[1], torch.Tensor)
    return name in _SIZED_BY_VALUES

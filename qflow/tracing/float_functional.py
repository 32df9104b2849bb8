"""float_functional: calls of a FloatFunctional's methods, which live at its own address.

`self.skip_add.add(x, y)` is an add called `skip_add`, not a generated child. The classes are known
by name, as torch's and qflow's own: neither is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn

from qflow.tracing import blocks, operators

_CLASSES = frozenset(
    f"{package}.nn.quantized.{name}"
    for package in ("torch.ao", "torch", "qflow")
    for name in ("FloatFunctional", "FXFloatFunctional")
)

_METHODS: Mapping[str, Callable[..., Any]] = {
    "add": torch.add,
    "add_scalar": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "mul_scalar": torch.mul,
    "cat": torch.cat,
    "matmul": torch.matmul,
    "mean": torch.mean,
    "sum": torch.sum,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}


class At:
    """A function whose call has an address of its own."""

    def __init__(self, function: Callable[..., Any], address: str) -> None:
        self.function = function
        self.address = address
        # a graph writes code with these
        self.__name__ = function.__name__
        self.__module__ = "torch"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def is_float_functional(module: nn.Module) -> bool:
    """Whether it stands for functions by its methods; subclasses do as well."""
    return any(n in _CLASSES for cls in type(module).__mro__ for n in operators.class_names(cls))


@contextmanager
def followed(model: nn.Module) -> Iterator[None]:
    """While it is open, methods of FloatFunctionals record their function at their address."""
    changed: list[tuple[nn.Module, str]] = []
    try:
        for address, module in model.named_modules():
            if not is_float_functional(module):
                continue
            for name in (*_METHODS, "add_relu"):
                if hasattr(type(module), name):
                    object.__setattr__(module, name, partial(_call, address, name))
                    changed.append((module, name))
        yield
    finally:
        for module, name in changed:
            object.__delattr__(module, name)


def _call(address: str, name: str, *args: Any, **kwargs: Any) -> Any:
    if name == "add_relu":
        return torch.relu(_record(At(torch.add, address), args, kwargs))
    return _record(At(_METHODS[name], address), args, kwargs)


def _record(function: At, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    proxies: list[fx.Proxy] = []
    fx.node.map_aggregate((args, dict(kwargs)), lambda a: _note(a, proxies))
    if proxies:
        return proxies[0].tracer.create_proxy("call_function", function, args, dict(kwargs))
    recorder = blocks.current()
    if recorder is None or not getattr(recorder, "live", False) or not _any_tensor(args):
        return function(*args, **kwargs)

    def run() -> Any:
        with recorder.paused():
            return function(*args, **kwargs)

    return recorder.record("call_function", function, args, kwargs, run)


def _note(value: Any, proxies: list[fx.Proxy]) -> Any:
    if isinstance(value, fx.Proxy):
        proxies.append(value)
    return value


def _any_tensor(values: Any) -> bool:
    return any(
        isinstance(v, Tensor) or (isinstance(v, (tuple, list)) and _any_tensor(v)) for v in values
    )

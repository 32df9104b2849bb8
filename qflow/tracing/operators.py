"""Which operator file a module class or a function belongs to.

Operators live in `emulation`, which stands above tracing: they are found by name, never imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from torch import nn

from qflow import registry

KIND = "emulation.ops"


@cache
def unsupported() -> type[Exception]:
    """What an operator raises for a form of it that qflow cannot do."""
    return import_module("qflow.emulation.op").Unsupported  # type: ignore[no-any-return]


def of_module(module: nn.Module) -> Any | None:
    """The operator a module stands for, by the exact class; None when there is none.

    A class that was made of another one, such as a fused convolution, names it as `stands_for`.
    """
    return of_class(getattr(type(module), "stands_for", type(module)))


def of_class(cls: type) -> Any | None:
    """The operator a module class stands for, by its exact names; None when there is none."""
    known = _by_class()
    return next((known[n] for n in class_names(cls) if n in known), None)


def of_function(function: Callable[..., Any]) -> Any | None:
    """The operator of a function object, such as `torch.add`; None when there is none."""
    return _by_function().get(function)


def of_name(name: str) -> Any | None:
    """The operator called so; None when there is none."""
    return next((op for op in _operators() if op.name == name), None)


def of_method(name: str) -> Any | None:
    """The operator of a tensor method, such as `permute`; None when there is none."""
    return _by_method().get(name)


def class_names(cls: type) -> Iterator[str]:
    """Every dotted name a class goes by: `torch.nn.modules.conv.Conv2d`, ..., `torch.nn.Conv2d`.

    Only packages that are imported already are asked, so that naming a class imports nothing.
    """
    yield f"{cls.__module__}.{cls.__qualname__}"
    package = cls.__module__
    while "." in package:
        package = package.rpartition(".")[0]
        if getattr(sys.modules.get(package), cls.__qualname__, None) is cls:
            yield f"{package}.{cls.__qualname__}"


@cache
def _operators() -> tuple[Any, ...]:
    return tuple(registry.load(KIND, name)() for name in registry.names(KIND))


@cache
def _by_class() -> Mapping[str, Any]:
    return {name: op for op in _operators() for name in op.modules}


@cache
def _by_function() -> Mapping[Any, Any]:
    return {_resolve(name): op for op in _operators() for name in op.functions}


@cache
def _by_method() -> Mapping[str, Any]:
    prefix = "torch.Tensor."
    return {
        name.removeprefix(prefix): op
        for op in _operators()
        for name in op.functions
        if name.startswith(prefix)
    }


def _resolve(name: str) -> Any:
    """The object a dotted name stands for: the longest prefix that is a module, then attributes."""
    head, *attributes = name.split(".")
    found: Any = import_module(head)
    for i, attribute in enumerate(attributes):
        if not hasattr(found, attribute):
            import_module(".".join([head, *attributes[: i + 1]]))
        found = getattr(found, attribute)
    return found

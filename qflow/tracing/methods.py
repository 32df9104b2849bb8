"""methods: a wrapped method as one call of the graph, with the children of its module.

The method runs as it was written. Its `self` is an object of the model's own class that holds the
modules, parameters and buffers which the graph has at the same addresses, so that it calls what was
put in their place, and branches on `self.training` follow `train()` and `eval()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

PART = "qflow.part"
"""Key in `node.meta` of what a method's `self` is made of: no operand of the call."""

_REGISTRIES = ("_modules", "_parameters", "_buffers")


class MethodCall:
    """Calls a method on parts: its first argument is {registry: {name: part}}."""

    def __init__(self, function: Callable[..., Any], owner: nn.Module) -> None:
        # the name in the class, which a pickle can find; it is the wrapped function
        self._class = type(owner)
        self._method = function.__name__
        self._plain = {k: v for k, v in vars(owner).items() if k not in _REGISTRIES}
        self._without = {
            registry: tuple(k for k, v in vars(owner)[registry].items() if v is None)
            for registry in _REGISTRIES
        }
        self.training = False
        self.__name__ = function.__name__
        self.__module__ = str(function.__module__)

    def __call__(self, parts: Mapping[str, Mapping[str, Any]], *args: Any, **kwargs: Any) -> Any:
        owner = self._class.__new__(self._class)
        state = dict(self._plain)
        for registry in _REGISTRIES:
            state[registry] = {**dict.fromkeys(self._without[registry]), **parts[registry]}
        vars(owner).update(state, training=self.training)
        function = getattr(self._class, self._method)
        result = getattr(function, "__wrapped__", function)(owner, *args, **kwargs)
        # what the method left on itself, such as a counter, is there at the next call
        self._plain = {k: v for k, v in vars(owner).items() if k not in _REGISTRIES}
        return result


def parts_of(owner: nn.Module, path: str) -> dict[str, dict[str, str]]:
    """Registry to name to address of what a method's `self` holds."""
    return {
        registry: {
            name: f"{path}.{name}" if path else name
            for name, part in vars(owner)[registry].items()
            if part is not None
        }
        for registry in _REGISTRIES
    }

"""recipe: the calls of a file in order, collected by whoever reads it, for `leafing` to finish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from qflow.frontends.imported import Held, Value


@dataclass(frozen=True)
class Owner:
    """The module whose `forward` makes a call."""

    address: str = ""
    cls: str = ""
    """Dotted name of its class; empty where the file does not say."""


@dataclass(frozen=True)
class Call:
    """One call of a function on values. Of a function in `forms` everything behind the first
    argument stands by name."""

    owner: Owner
    target: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    method: bool = False


@dataclass
class Recipe:
    """What a file says a model is."""

    inputs: tuple[str, ...]
    tensors: dict[str, Tensor] = field(default_factory=dict)
    """Parameters and buffers by dotted name."""
    trainable: set[str] = field(default_factory=set)
    """Names of those that are parameters."""
    calls: list[Call] = field(default_factory=list)
    outputs: tuple[Value, ...] = ()
    guesses: bool = False
    """The file knows scopes and no classes: a scope with one call in it is taken for a module."""
    stubs: dict[str, Any] = field(default_factory=dict)

    def add(
        self, owner: Owner, target: Any, *args: Any, method: bool = False, **kwargs: Any
    ) -> Value:
        """Note a call; what it returns."""
        self.calls.append(Call(owner, target, args, kwargs, method))
        return Value(len(self.inputs) + len(self.calls) - 1)

    def hold(self, address: str, tensor: Tensor, trainable: bool = True) -> Held:
        """Note a parameter or buffer."""
        self.tensors[address] = tensor
        if trainable and tensor.is_floating_point():
            self.trainable.add(address)
        return Held(address)

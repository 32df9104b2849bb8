"""example_numbers: sizes that remember their node, so that arithmetic on them is recorded."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Protocol

from torch import fx


class Follower(Protocol):
    """What records the arithmetic: the recorder of a trace by example."""

    def number(self, function: Callable[..., Any], args: tuple[Any, ...], value: Any) -> Any:
        """`value`, followed by a node that computes it; as it is once the trace is over."""
        ...


class Followed:
    """A plain number of Python to everything but arithmetic."""

    node: fx.Node
    follower: Follower

    def __copy__(self) -> Any:
        return _plain(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return _plain(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        value = _plain(self)
        return type(value), (value,)


class FollowedInt(Followed, int):
    """A size of a tensor, or what was computed from sizes."""


class FollowedFloat(Followed, float):
    """A quotient or a root of sizes."""


def followed(value: Any, node: fx.Node, follower: Follower) -> Any:
    """An int or float that remembers its node; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    made = FollowedInt(value) if isinstance(value, int) else FollowedFloat(value)
    made.node, made.follower = node, follower
    return made


def _plain(value: Any) -> int | float:
    return int(value) if isinstance(value, int) else float(value)


def _binary(base: type, name: str, function: Callable[..., Any], reflected: bool) -> Any:
    compute = getattr(base, name)

    def calculate(self: Any, other: Any) -> Any:
        value = compute(self, other)
        if value is NotImplemented:
            return value
        args = (other, self) if reflected else (self, other)
        return self.follower.number(function, args, value)

    return calculate


def _unary(base: type, name: str, function: Callable[..., Any]) -> Any:
    compute = getattr(base, name)

    def calculate(self: Any) -> Any:
        return self.follower.number(function, (self,), compute(self))

    return calculate


for _class, _base in ((FollowedInt, int), (FollowedFloat, float)):
    for _word in ("add", "sub", "mul", "floordiv", "truediv", "mod", "pow"):
        for _name, _swapped in ((f"__{_word}__", False), (f"__r{_word}__", True)):
            setattr(
                _class, _name, _binary(_base, _name, getattr(operator, _word), reflected=_swapped)
            )
    for _word in ("neg", "abs"):
        setattr(_class, f"__{_word}__", _unary(_base, f"__{_word}__", getattr(operator, _word)))

"""wholes: what a wrapped call returned, as one value, as long as the model leaves it as it came.

A wrapped post-process returns losses in training and boxes otherwise: taking the example's keys out
of its result would fix the graph to one of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import fx


class Wholes:
    """Containers by identity, with the node that gave them and what they held then."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[Any, Any, fx.Node]] = {}

    def keep(self, value: Any, node: fx.Node) -> None:
        """Note what a call returned; anything but a container is left out."""
        if _is_container(value):
            self._found[id(value)] = (value, _held(value), node)

    def put(self, value: Any) -> Any:
        """The value with the node in place of every container that is as it came."""
        if not _is_container(value):
            return value
        found = self._found.get(id(value))
        if found is not None and _same(value, found[1]):
            return found[2]
        if isinstance(value, Mapping):
            return {k: self.put(v) for k, v in value.items()}
        parts = [self.put(v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping) or type(value) in (tuple, list) or hasattr(value, "_fields")


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items() if isinstance(value, Mapping) else enumerate(value))


def _held(value: Any) -> Any:
    """What a container holds, by key; containers in it are looked into, as they may change too."""
    return [(k, v, _held(v)) for k, v in _items(value)] if _is_container(value) else None


def _same(value: Any, held: Any) -> bool:
    if held is None:
        return True
    now = _items(value)
    return len(now) == len(held) and all(
        k == key and v is was and _same(v, inside)
        for (k, v), (key, was, inside) in zip(now, held, strict=True)
    )

"""rewrite: one way through a tree: a function sees every node and may put another in its place."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any, TypeVar

from qflow.lang.syntax import Node

N = TypeVar("N", bound=Node)

Change = Callable[[Node], Node | None]
"""A node to the node in its place, which is not looked into; None: look into it."""


def rewrite(node: N, change: Change) -> N:
    """`node` with everything in it changed. What does not change stays the same object.

    `change` must give a node that fits where the old one stood.
    """
    changed: Any = change(node)
    if changed is not None:
        return changed  # type: ignore[no-any-return]
    found = {}
    for name in _fields_of(node):
        old = getattr(node, name)
        new = _inside(old, change)
        if new is not old:
            found[name] = new
    return replace(node, **found) if found else node


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it, in the order written."""
    waiting: list[Any] = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, tuple):
            waiting += reversed(found)
        elif isinstance(found, Node):
            yield found
            waiting += [getattr(found, name) for name in reversed(_fields_of(found))]


def _fields_of(node: Node) -> tuple[str, ...]:
    kind: Any = type(node)
    return _parts(kind)


@cache
def _parts(kind: Hashable) -> tuple[str, ...]:
    """Fields that may hold nodes."""
    node: Any = kind
    return tuple(f.name for f in fields(node) if f.compare)


def _inside(value: Any, change: Change) -> Any:
    if isinstance(value, Node):
        return rewrite(value, change)
    if not isinstance(value, tuple):
        return value
    new = tuple(_inside(v, change) for v in value)
    return value if all(a is b for a, b in zip(value, new, strict=True)) else new

"""respan: syntax nodes with other spans; what a fragment says, at its place in the YAML."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from qflow.diagnostics import Span

T = TypeVar("T")


def respan(node: T, move: Callable[[Span], Span]) -> T:
    """A copy of a node, or tuple of nodes, whose every span went through `move`."""
    changed: Any = _respan(node, move)
    return changed  # type: ignore[no-any-return]


def _respan(node: Any, move: Callable[[Span], Span]) -> Any:
    if isinstance(node, Span):
        return move(node)
    if isinstance(node, tuple):
        return tuple(_respan(part, move) for part in node)
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    parts = {f.name: _respan(getattr(node, f.name), move) for f in dataclasses.fields(node)}
    return dataclasses.replace(node, **parts)


def spans(node: Any) -> Iterator[Span]:
    """Every span of a node, in an order that equal nodes share."""
    if isinstance(node, Span):
        yield node
    elif isinstance(node, tuple):
        for part in node:
            yield from spans(part)
    elif dataclasses.is_dataclass(node) and not isinstance(node, type):
        for f in dataclasses.fields(node):
            yield from spans(getattr(node, f.name))

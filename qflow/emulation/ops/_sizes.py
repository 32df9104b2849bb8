"""Sizes as torch takes them: one by one, or all in one tuple; and those that are to be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from qflow.emulation.op import Unsupported


def sizes_of(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[int, ...]:
    """Every size of `x.expand(2, 3)`, `x.expand((2, 3))` or `x.expand(size=(2, 3))`."""
    given = [*args[1:], *(v for n, v in kwargs.items() if n != "input")]
    sizes = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given
    if not sizes or not all(isinstance(s, int) for s in sizes):
        raise Unsupported(f"sizes {tuple(sizes)}: they must be whole numbers")
    return tuple(sizes)


def filled(sizes: tuple[int, ...], count: int) -> tuple[int, ...]:
    """`sizes` with the -1 replaced, so that they hold `count` values. Raises Unsupported."""
    known = prod(s for s in sizes if s != -1)
    if sizes.count(-1) > 1 or known < 1 or count % known:
        raise Unsupported(f"{sizes} cannot hold {count} values")
    found = tuple(count // known if s == -1 else s for s in sizes)
    if prod(found) != count:
        raise Unsupported(f"{sizes} cannot hold {count} values")
    return found

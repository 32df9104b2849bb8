"""Addresses: dotted segments, the globs that select them, the nearest to a mistyped one."""

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache

from qflow.plan.closest import closest


def matches(pattern: str, address: str) -> bool:
    """Whether a glob covers an address.

    `*` stands for any text within one segment (a whole segment when alone), `**` for any number of
    segments, also none: `a.**` covers `a`, `a.b` and `a.b.c`.
    """
    return covering(pattern)(address) is not None


def covering(pattern: str) -> Callable[[str], object]:
    """`matches` for one glob and many addresses: what it gives is true where it covers one."""
    return _expression(pattern).fullmatch


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """One regular expression per glob; each segment brings the dot before it."""
    parts = []
    for segment in pattern.split("."):
        if segment == "**":
            parts.append(r"(?:\.[^.]+)*")
            continue
        text = "".join("[^.]*" if c == "*" else re.escape(c) for c in segment)
        # a lone `*` is exactly one segment, which is never empty
        parts.append(r"\." + ("[^.]+" if segment == "*" else text))
    return re.compile(_without_first_dot("".join(parts)))


def _without_first_dot(expression: str) -> str:
    """The first segment of an address has no dot before it."""
    if expression.startswith(r"\."):
        return expression[2:]
    many = r"(?:\.[^.]+)*"
    rest = expression[len(many) :]
    if not rest:
        return r"[^.]+(?:\.[^.]+)*"
    # `**.x` covers `x` as well as `a.x`
    return r"(?:[^.]+\.)*" + _without_first_dot(rest)


def nearest(pattern: str, addresses: Iterable[str]) -> tuple[str, ...]:
    """Up to three addresses, or parents of addresses, that look like a pattern."""
    known = tuple(addresses)
    plain = pattern.removesuffix(".**").removesuffix(".*")
    if found := closest(plain, known, cutoff=0.6):
        return tuple(found)
    if found := closest(plain, _parents(known), cutoff=0.6):
        return tuple(f"{parent}.**" for parent in found)
    return tuple(closest(plain, known, cutoff=0.4))


@lru_cache(maxsize=8)
def _parents(known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        sorted({".".join(a.split(".")[:n]) for a in known for n in range(1, a.count(".") + 1)})
    )

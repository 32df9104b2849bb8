"""spans: the ends of what a function of whole numbers gives, from the ends of its operands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qflow.export._onnx_integer.traced import Ends

LARGEST = (1 << 63) - 1


def of(name: str, operands: Sequence[Ends | None]) -> Ends | None:
    """None where they are unknown, or beyond what 64 bits hold."""
    rule = RULES.get(name)
    known = [e for e in operands if e is not None]
    if rule is None or len(known) != len(operands):
        return None
    low, high = rule(*known)
    return (low, high) if -LARGEST <= low and high <= LARGEST else None


def _products(a: Ends, b: Ends) -> Ends:
    every = [x * y for x in a for y in b]
    return min(every), max(every)


def _magnitude(a: Ends) -> Ends:
    low = 0 if a[0] <= 0 <= a[1] else min(abs(a[0]), abs(a[1]))
    return low, max(abs(a[0]), abs(a[1]))


def _sign(a: Ends) -> Ends:
    return max(min(a[0], 1), -1), max(min(a[1], 1), -1)


RULES: Mapping[str, Callable[..., Ends]] = {
    "add": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "subtract": lambda a, b: (a[0] - b[1], a[1] - b[0]),
    "multiply": _products,
    "negative": lambda a: (-a[1], -a[0]),
    "absolute": _magnitude,
    "sign": _sign,
    "maximum": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "minimum": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
}

"""How large the result of a float island may become: known before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, prod
from typing import Any

from qflow.emulation.op import Op, Unsupported

FAILS = (
    *(ArithmeticError, AssertionError, AttributeError, IndexError),
    *(KeyError, MemoryError, TypeError, ValueError),
)
"""What an operator raises on attributes, or without a weight, as no trace ever gives it."""

Shape = tuple[int, ...]


def most_values(
    operator: Op, attributes: Mapping[str, Any], shapes: Sequence[Shape], weight: Shape
) -> int:
    """A bound on the values of the result. Raises one of FAILS for attributes of another kind."""
    if "equation" in attributes:
        return _of_equation(attributes["equation"], shapes)
    if "factor" in attributes and isinstance(attributes["factor"], tuple):
        larger = prod(max(ceil(f), 1) for f in attributes["factor"])
        return prod(shapes[0]) * larger
    try:
        return prod(operator.shape(attributes, shapes, weight))
    except (Unsupported, *FAILS):
        # a form that only floats have: its numbers at their worst multiply its operands
        steps = prod(max(abs(n), 1) for n in integers(attributes.values()))
        return steps * sum(map(prod, shapes))


def integers(values: Any) -> Iterator[int]:
    """The whole numbers among attributes."""
    for value in values:
        if isinstance(value, tuple):
            yield from integers(value)
        elif isinstance(value, int):
            yield value


def _of_equation(equation: str, shapes: Sequence[Shape]) -> int:
    """Values along the letters behind the arrow, or along all letters where there is none."""
    terms, _, result = equation.replace(" ", "").partition("->")
    sizes: dict[str, int] = {}
    rest = 1
    for term, shape in zip(terms.split(","), shapes, strict=True):
        head, _, tail = term.partition("...")
        rest = max(rest, prod(shape[len(head) : len(shape) - len(tail)]))
        pairs = (*zip(head, shape, strict=False), *zip(tail[::-1], shape[::-1], strict=False))
        sizes |= {letter: max(sizes.get(letter, 1), size) for letter, size in pairs}
    wanted = result.replace("...", "") if result else "".join(sizes)
    return rest * prod(sizes[letter] for letter in wanted)

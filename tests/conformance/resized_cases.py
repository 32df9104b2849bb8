"""Images that are resized, to sizes and by factors; many sums lie on ties of powers of two."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.both_sides import no_model
from tests.conformance.litert_case import Case
from tests.conformance.shared_cases import images, on

SIZES = (((9, 11), (18, 22)), ((8, 9), (24, 18)), ((12, 10), (9, 25)), ((20, 18), (10, 9)))
"""Of an image, and of the one it becomes."""


def resized(dtype: str, mode: str, aligned: bool = False, exact: bool = False) -> Iterator[Case]:
    """`exact`: powers of two only, as scales and as factors."""
    for i, (size, count) in enumerate(SIZES):
        if exact and i in (1, 2):
            continue
        two = exact or i % 2 == 0
        source = on(0.25 if two else 0.05, 0, dtype)
        other = on(0.125 if two else 0.031, 2, dtype)
        target = other if mode == "bilinear" else source
        operand = images(source.dtype, (8, 12, *size), i)
        # where an image shrinks by two every place lies between pixels
        by_factor = not aligned and i in (0, 3)
        attributes = {
            "size": None if by_factor else count,
            "factor": (count[0] / size[0],) if by_factor else None,
            "mode": mode,
            "align_corners": aligned,
            "recompute": False,
        }
        yield Case("upsample", (operand,), (source,), target, no_model, attributes)

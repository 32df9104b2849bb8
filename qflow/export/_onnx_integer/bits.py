"""bits: shifts, masks and divisions of whole numbers, rounded down as NumPy does.

ONNX divides towards zero and shifts unsigned numbers alone: what is divided is made a multiple
first, with `Mod`, whose result has the divisor's sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.export._onnx_integer.tape import WHOLE, Tape, ends_of, slim
from qflow.export._onnx_integer.traced import Ends, Traced, Untraceable

LARGEST_SHIFT = 62
FEWEST, MOST = -64, 63
"""Exponents that `frexp` tells apart: of whole numbers, and of fractions down to 2^-65."""


def shifted_right(tape: Tape, x: Any, shift: Any) -> Any:
    ends = ends_of(x)
    if not isinstance(shift, Traced):
        counts = np.asarray(shift, np.int64)
        if not counts.any():
            return x
        found = floor_divided(tape, x, np.int64(1) << np.minimum(counts, LARGEST_SHIFT))
        return found
    by = power_of_two(tape, shift, WHOLE)
    found = floor_divided(tape, x, by)
    return _with(found, None if ends is None else (min(ends[0], 0), max(ends[1], 0)))


def shifted_left(tape: Tape, x: Any, shift: Any) -> Any:
    if not isinstance(shift, Traced):
        return x * (np.int64(1) << np.asarray(shift, np.int64))
    return x * power_of_two(tape, shift, WHOLE)


def floor_divided(tape: Tape, x: Any, by: Any) -> Any:
    rest = remainder(tape, x, by)
    ready = slim([_whole(tape, v) for v in (x - rest, by)])
    found = tape.node("Div", ready, WHOLE, rest.shape)
    return _with(found, _quotients(ends_of(x), ends_of(by)))


def remainder(tape: Tape, x: Any, by: Any) -> Traced:
    dtype = np.result_type(_dtype(x), _dtype(by))
    if dtype.kind == "f":
        raise Untraceable("remainders of floats have no form here")
    ready = slim([_whole(tape, v) for v in (x, by)])
    shape = np.broadcast_shapes(np.shape(x), np.shape(by))
    divisors = ends_of(by)
    ends = None if divisors is None or divisors[0] < 1 else (0, divisors[1] - 1)
    return tape.node("Mod", ready, WHOLE, shape, ends)


def masked(tape: Tape, x: Traced, mask: int) -> Traced | None:
    """`x & mask` of a mask of low bits alone."""
    if mask < 0 or mask & (mask + 1) or mask >= 1 << LARGEST_SHIFT:
        return None
    return remainder(tape, x, np.int64(mask + 1))


def power_of_two(tape: Tape, exponent: Traced, dtype: Any) -> Traced:
    """2^n of exponents from 0 to 62, and from -62 for floats: read from a table."""
    kind = np.dtype(dtype)
    first = 0 if kind.kind in "iu" else -LARGEST_SHIFT
    table = np.ldexp(1.0, np.arange(first, LARGEST_SHIFT + 1)).astype(kind)
    places = np.clip(exponent, first, LARGEST_SHIFT) - first
    ends = ends_of(exponent)
    whole = None if ends is None else tuple(1 << min(max(e, 0), LARGEST_SHIFT) for e in ends)
    return tape.node(
        "Gather",
        [table, places],
        kind,
        exponent.shape,
        whole if kind.kind in "iu" else None,  # type: ignore[arg-type]
    )


def frexp(tape: Tape, x: Traced) -> tuple[Any, Any]:
    """Fraction and exponent, of magnitudes from 2^-65 to below 2^63, and of 0."""
    limits = np.ldexp(1.0, np.arange(FEWEST - 1, MOST))
    reached = np.abs(x)[..., None] >= limits.astype(x.dtype)
    counted = reached.astype(np.int64).sum(-1) + (FEWEST - 1)
    exponent: Any = np.where(x == 0, np.int64(0), counted)
    return np.ldexp(x, -exponent), _with(exponent, (FEWEST, MOST))


def _with(value: Traced, ends: Ends | None) -> Traced:
    return Traced(value.tape, value.name, value.dtype, value.shape, ends)


def _quotients(x: Ends | None, by: Ends | None) -> Ends | None:
    if x is None or by is None or by[0] < 1:
        return None
    every = [a // b for a in x for b in by]
    return min(every), max(every)


def _whole(tape: Tape, value: Any) -> Any:
    return tape.cast(value, WHOLE) if isinstance(value, Traced) else np.asarray(value, np.int64)


def _dtype(value: Any) -> Any:
    if isinstance(value, Traced):
        return value.dtype
    return np.asarray(value).dtype

"""Constants of a normalization: eps among squares of steps, weight and bias in fixed point."""

from __future__ import annotations

from math import frexp, isqrt
from typing import Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import NoScale, scale
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Call, Constant, Range, Unsupported

FRACTION = 20
"""Bits below 1 of a normalized value."""
GAIN_BITS = 24
OFFSET_BITS = 51
SHIFTS = (1, FRACTION + GAIN_BITS)
SPREAD_BITS = 61
"""Variance and eps stay below this together; one bit more is left for their sum."""
SPREAD_SHIFTS = (-60, 62)
PRODUCT_BITS = 61
"""Of a value times the reciprocal root, which has 24 bits."""


def spread(eps: float, source: TensorType, count: int) -> tuple[int, int]:
    """eps times count^2, in units of 2^shift squares of the operand's step, and that even shift.

    Raises Unsupported for groups so large that a value times its factor leaves int64.
    """
    step, width = float(scale(source)[0]), _width(source)
    if count * width >= 1 << (PRODUCT_BITS - GAIN_BITS):
        raise Unsupported(f"a group of {count} {source.dtype} values leaves the accumulator")
    exact = eps / (step * step) * count * count
    largest = count * count * (width * width // 4 + 1) + int(min(exact, 2.0**200)) + 1
    shift = largest.bit_length() - SPREAD_BITS
    shift += shift % 2
    if shift > SPREAD_SHIFTS[1]:
        raise NoScale(f"eps = {eps:.3g} is far more than its operand's scale {step:.3g} can show")
    shift = max(shift, SPREAD_SHIFTS[0])
    return round(exact * 2.0**-shift), shift


def spread_shifts(source: TensorType, count: int) -> Range:
    """Shifts with which the variance of `count` values stays below 2^61: what a file may have.

    Raises Unsupported as `spread`.
    """
    _, least = spread(0.0, source, count)
    return least, SPREAD_SHIFTS[1]


def spread_of(squares: Any, rest: Any, count: int, shift: int) -> Any:
    """(count * squares - rest^2) * 2^-shift, the division rounded down; int64, NumPy or torch."""
    if shift <= 0:
        return (count * squares - rest * rest) << -shift
    mask = (1 << shift) - 1
    product = count * (squares >> shift) + ((count * (squares & mask)) >> shift)
    return product - ((rest * rest) >> shift)


def affine(
    weight: np.ndarray | None, bias: np.ndarray | None, output: TensorType, view: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """gain, offset and shift: y = floor((z * gain + offset) * 2^-shift) for z in Q.20."""
    step = float(scale(output)[0])
    gains = (np.ones(1) if weight is None else weight.astype(np.float64)) / step
    offsets = (np.zeros(1) if bias is None else bias.astype(np.float64)) / step
    _, exponent = frexp(float(np.abs(gains).max()))
    shift = FRACTION + GAIN_BITS - exponent
    _, exponent = frexp(float(np.abs(offsets).max()))
    shift = min(shift, OFFSET_BITS - exponent, SHIFTS[1])
    if shift < SHIFTS[0]:
        raise NoScale(f"weight or bias are far more than its output's scale {step:.3g} can show")
    gain = np.rint(np.ldexp(gains, shift - FRACTION)).astype(np.int32)
    offset = np.rint(np.ldexp(offsets, shift)).astype(np.int64) + (1 << (shift - 1))
    return {
        "gain": _shaped(gain, weight, view),
        "offset": _shaped(offset, bias, view),
        "shift": np.array([shift], np.int32),
    }


def roles(view: tuple[int, ...]) -> dict[str, Constant]:
    shapes = (view, (1,))
    gain, offset = 1 << GAIN_BITS, 1 << (OFFSET_BITS + 1)
    return {
        "gain": Constant(("int32",), shapes, low=-gain, high=gain),
        "offset": Constant(("int64",), shapes, low=-offset, high=offset),
        "shift": Constant(("int32",), ((1,),), low=SHIFTS[0], high=SHIFTS[1]),
    }


def sum_of_squares(count: int, values: Range) -> int:
    """Largest sum of the squares of so many values."""
    return count * max(abs(values[0]), abs(values[1])) ** 2


def bounds(call: Call, count: int, values: Range) -> tuple[int, int]:
    """Largest magnitude of a value times its factor, and of a normalized one times its gain."""
    reach = max(abs(values[0]), abs(values[1]))
    # sums of squares, and twice N x - S before it is rounded
    most = max(2 * count * reach << GAIN_BITS, sum_of_squares(count, values))
    # no value is further from the mean than sqrt(N - 1) deviations; a shifted variance may be half
    normal = (isqrt(2 * count) + 2) << FRACTION
    gain, offset = (int(np.abs(call.constants[n]).max()) for n in ("gain", "offset"))
    return most, normal * gain + offset


def _shaped(found: np.ndarray, given: np.ndarray | None, view: tuple[int, ...]) -> np.ndarray:
    return found if given is None else found.reshape(view)


def _width(source: TensorType) -> int:
    dtype = DTYPES[source.dtype]
    return dtype.qmax - dtype.qmin

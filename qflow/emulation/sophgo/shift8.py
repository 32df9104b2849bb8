"""Parameters of BM1684: weights, multipliers and shifts of its operators, from scales in float64.

Measured against the vendor's compiler. Where a product is said to be one of float32, its factor is
a float32 and so is the product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qflow.emulation.sophgo.rounding import round_away, saturate
from qflow.emulation.sophgo.search import (
    LARGEST_SHIFT,
    Pair,
    doubling_shift,
    floor_log_shift,
    search8,
)

INT8, UINT8, INT16 = (-128, 127), (0, 255), (-(1 << 15), (1 << 15) - 1)
ALLOWED_OVERFLOW = 0.03
"""Fraction of the biases that may leave int16 before the shift of a layer is made smaller."""
RECIPROCAL = (128, 255)
"""Range of the 8-bit multiplier that stands for the reciprocal of a number of taps."""


@dataclass(frozen=True)
class Layer:
    """A convolution or linear layer: `sat(RSR(sum x*weight + bias, shift))`."""

    weight: np.ndarray
    """int64 within int8, shape of the weights."""
    bias: np.ndarray
    """int64 within int16, [channels]."""
    shift: int
    """Below 0: the layer does not fit 8 bits, and the vendor keeps it in float32."""


def layer(
    weight: np.ndarray,
    bias: np.ndarray | None,
    source: float,
    target: float,
    least: int = -LARGEST_SHIFT,
) -> Layer:
    """Of weights [channels, ...] and scales of input and output; the shift is `least` or more.

    One shift for the layer: the largest that keeps the weights below 127, and then most biases
    within int16. Products are of float32.
    """
    largest = float(np.abs(weight).max(initial=0.0))
    shift = max(doubling_shift(largest * source / target), least)
    offset = np.zeros(weight.shape[0], np.int64)
    if bias is not None:
        shift = _shift_for_bias(bias, target, shift)
        offset = saturate(_at(bias, target, shift), *INT16)
    factor = np.float32(2.0**shift * source / target)
    whole = round_away(weight.astype(np.float32) * factor)
    return Layer(saturate(whole, *INT8), offset, shift)


def _shift_for_bias(bias: np.ndarray, target: float, shift: int) -> int:
    while shift > 0:
        whole = _at(bias, target, shift)
        outside = (whole < INT16[0]) | (whole > INT16[1])
        if outside.mean() <= ALLOWED_OVERFLOW:
            break
        shift -= 1
    return shift


def _at(bias: np.ndarray, target: float, shift: int) -> np.ndarray:
    return round_away(bias.astype(np.float32) * np.float32(2.0**shift / target))


def addend(source: float, target: float, factor: float = 1.0) -> tuple[int, int]:
    """(m, r) of `factor * source / target`; the multiplier keeps the factor's sign."""
    shift = int(floor_log_shift(abs(factor) * source / target))
    whole = round_away(np.float32(factor * 2.0**shift * source / target))
    return int(np.clip(whole, *INT8)), shift


def scalar(value: float, target: float, shift: int) -> int:
    """A number added to a product of that shift, int16."""
    return int(np.clip(round_away(np.asarray(value * 2.0**shift / target)), *INT16))


def constant(values: np.ndarray) -> tuple[np.ndarray, float, str]:
    """A constant operand: integers, their scale, `int8` or, where none is below 0, `uint8`."""
    top, dtype = (127, "int8") if values.min(initial=0.0) < 0 else (255, "uint8")
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return np.zeros(values.shape, np.int64), 1.0, dtype
    low, high = INT8 if dtype == "int8" else UINT8
    whole = round_away(values.astype(np.float64) * (top / largest))
    return saturate(whole, low, high), float(np.float32(largest / top)), dtype


def product(left: float, right: float, target: float) -> Pair:
    """(m, r) of the product of two tensors: only shifts to the right, up to 31."""
    return search8(left * right / target, positive=True, most=LARGEST_SHIFT)


def reciprocal(count: int) -> tuple[int, int]:
    """(m, e) with m / 2^e nearest to 1 / count: 8 bits without sign, trailing zeros removed."""
    exponent = 0
    while 2.0**exponent / count < RECIPROCAL[0]:
        exponent += 1
    whole = int(round_away(np.float64(2.0**exponent / count)))
    if whole > RECIPROCAL[1]:
        whole, exponent = whole >> 1, exponent - 1
    while exponent > 0 and whole % 2 == 0:
        whole, exponent = whole >> 1, exponent - 1
    return whole, exponent


@dataclass(frozen=True)
class Affine:
    """A factor and an offset per channel: `sat(floor(sat16(x*factor + bias) / 2^shift))`."""

    factor: np.ndarray
    bias: np.ndarray
    shift: np.ndarray


def affine(factor: np.ndarray, bias: np.ndarray, source: float, target: float) -> Affine:
    """Of a scale and an offset per channel, both [channels].

    The half of the rounding is part of the bias, so that the shift itself drops the bits; where a
    bias with it would leave int16, it is left out.
    """
    ratio = factor.astype(np.float64) * source / target
    shift = floor_log_shift(np.abs(ratio))
    whole = saturate(round_away(np.ldexp(ratio, shift)), *INT8)
    offset = round_away(np.ldexp(bias.astype(np.float64) / target, shift))
    half = np.where(shift > 0, np.ldexp(0.5, shift), 0.0)
    fits = (offset + half >= INT16[0]) & (offset + half <= INT16[1])
    return Affine(whole, saturate(np.where(fits, offset + half, offset), *INT16), shift)

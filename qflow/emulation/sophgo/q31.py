"""Parameters of CV18xx: weights, multipliers and shifts of its operators.

Measured against the vendor's compiler. Thresholds are float32 there; activations always lie on a
signed grid of `threshold / 127`, so scales come in as float64 and thresholds are `127 * scale`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qflow.emulation.sophgo import search
from qflow.emulation.sophgo.rounding import half_even, half_up, saturate

TOP = 127
LARGEST_RATIO = np.float32(0.999999)
"""What stands for a ratio of 1 or more: the multiplier has 31 bits below one."""
BIAS_ROOM = 0x7FFFFFFF * 0.998
"""How much of int32 a bias may take."""
LARGEST_SHIFT = 31
"""A multiplier that needs a longer one becomes 0."""
SAME = 1e-5
"""Ratios that differ by less are one scale."""
INT8, INT32 = (-128, 127), (-(1 << 31), (1 << 31) - 1)


@dataclass(frozen=True)
class Layer:
    """A convolution or linear layer: `sat(q31_rescale(sum x*weight + bias, multiplier, shift))`."""

    weight: np.ndarray
    """int64 within int8, shape of the weights."""
    bias: np.ndarray
    """int64 within int32, [channels]."""
    multiplier: np.ndarray
    """[channels], or [1] where the layer has one."""
    shift: np.ndarray


def threshold(scale: float) -> np.float32:
    """The threshold of a scale, float32 as the vendor's table is read."""
    return np.float32(scale * TOP)


def layer(
    weight: np.ndarray,
    bias: np.ndarray | None,
    source: float,
    target: float,
    per_channel: bool = True,
) -> Layer:
    """Of weights [channels, ...] and scales of input and output."""
    channels = weight.shape[0]
    rows = weight.reshape(channels if per_channel else 1, -1)
    given, wanted = threshold(source), threshold(target)
    largest = np.abs(rows).max(1).astype(np.float32)
    ratio = largest * given / (np.float32(TOP) * wanted)
    ratio = np.where(ratio >= 1, LARGEST_RATIO, ratio).astype(np.float64)
    if bias is not None:
        of_bias = np.abs(bias).astype(np.float64) * TOP / (BIAS_ROOM * float(wanted))
        of_bias = of_bias.reshape(rows.shape[0], -1).max(1)
        ratio = np.where((of_bias > ratio) & (of_bias < 1), of_bias, ratio)
    multiplier, shift = search.q31(ratio)
    # the quotient of the thresholds is one of float32 as well
    vanishes = shift > LARGEST_SHIFT
    multiplier, shift = np.where(vanishes, 0, multiplier), np.where(vanishes, 0, shift)
    growth = np.where(vanishes, 0.0, np.ldexp(1.0 / np.maximum(multiplier, 1), shift + 31))
    each = np.broadcast_to(growth, (channels,))
    factor = (float(given / wanted) * each).astype(np.float32)
    view = (channels,) + (1,) * (weight.ndim - 1)
    whole = half_even(weight.astype(np.float32) * factor.reshape(view))
    offset = np.zeros(channels, np.int64)
    if bias is not None:
        step = (TOP / float(wanted) * each).astype(np.float32)
        offset = saturate(half_even(bias.astype(np.float32) * step), *INT32)
    return Layer(saturate(whole, *INT8), offset, multiplier, shift)


def sum_of(sources: Sequence[float], target: float) -> tuple[list[int], int]:
    """Multipliers of the terms of a sum, and the shift of the whole."""
    ratios = [threshold(s) / threshold(target) for s in sources]
    shift = int(search.trunc8(float(max(ratios)))[1])
    return [int(np.trunc(float(q) * 2.0**shift)) for q in ratios], shift


def product(left: float, right: float, target: float) -> tuple[int, int]:
    multiplier, shift = search.q31(left * right / target)
    return int(multiplier), int(shift)


def moved(source: float, target: float) -> tuple[int, int]:
    """(m, r) that brings integers from one scale to another; (1, 0) where they are one."""
    ratio = threshold(source) / threshold(target)
    if abs(ratio - 1) <= SAME:
        return 1, 0
    return one(float(ratio))


def one(ratio: float) -> tuple[int, int]:
    """`search.trunc8` of one number."""
    multiplier, shift = search.trunc8(ratio)
    return int(multiplier), int(shift)


def mean(source: float, target: float, taps: int) -> tuple[int, int]:
    """(m, r) of the mean of so many integers."""
    return one(float(threshold(source) / (threshold(target) * np.float32(taps))))


@dataclass(frozen=True)
class Sided:
    """What lies above zero and what lies below have multipliers of their own."""

    positive: tuple[int, int]
    negative: tuple[int, int]


def leaky(alpha: float, source: float, target: float) -> Sided:
    ratio = threshold(source) / threshold(target)
    return Sided(moved(source, target), one(float(np.float32(alpha) * ratio)))


@dataclass(frozen=True)
class Slopes:
    """Slopes per channel with one shift, and the multiplier of what lies above zero."""

    positive: tuple[int, int]
    slope: np.ndarray
    shift: int


def slopes(slope: np.ndarray, source: float, target: float) -> Slopes:
    """Of slopes [channels]."""
    ratio = float(threshold(source) / threshold(target))
    shift = one(float(np.abs(slope).max()) * ratio)[1]
    whole = half_up(slope.astype(np.float64) * 2.0**shift * ratio)
    return Slopes(moved(source, target), saturate(whole, *INT8), shift)

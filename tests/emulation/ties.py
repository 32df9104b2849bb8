"""Accumulators where rounding rules part ways, and the rules once more in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np

INT32 = (-(1 << 31), (1 << 31) - 1)


def ratios(count: int, seed: int = 0) -> np.ndarray:
    """Scale ratios: half of them powers of two, half anything, from 2^-26 to 2^1."""
    random = np.random.default_rng(seed)
    powers = np.ldexp(1.0, random.integers(-26, 2, count // 2))
    return np.concatenate([powers, np.exp2(random.uniform(-26, 1, count - count // 2))])


def near_ties(ratio: float, count: int, high: int, seed: int = 0) -> np.ndarray:
    """int32 accumulators whose product with `ratio` lies closest to k + 1/2, -high <= k < high."""
    random = np.random.default_rng(seed)
    k = random.integers(-high, high, count).astype(np.float64) + 0.5
    near = np.rint(k / ratio) + random.integers(-1, 2, count)
    return np.clip(near, *INT32).astype(np.int64)


def mul15(acc: int, multiplier: int, shift: int) -> int:
    return floor(
        Fraction(acc * multiplier) / Fraction(2) ** shift + (Fraction(1, 2) if shift > 0 else 0)
    )


def tosa_single(acc: int, multiplier: int, shift: int) -> int:
    return floor(Fraction(acc * multiplier, 1 << shift) + Fraction(1, 2))


def tosa_double(acc: int, multiplier: int, shift: int) -> int:
    """TFLite: the rounded high product, then a rounding shift, ties away from zero."""
    if shift <= 31:
        return tosa_single(acc, multiplier, shift)
    product = acc * multiplier
    nudge = 1 << 30 if product >= 0 else 1 - (1 << 30)
    total = product + nudge
    high = abs(total) >> 31
    high = high if total >= 0 else -high
    n = shift - 31
    remainder, threshold = high & ((1 << n) - 1), (((1 << n) - 1) >> 1) + (high < 0)
    return (high >> n) + (remainder > threshold)


def float32(value: float) -> float:
    return float(np.float32(value))


def half_even(value: float) -> int:
    return round(value)


def onnxruntime(acc: int, ratio: float) -> int:
    # a product of two float32 is exact in float64, so it is rounded once
    return half_even(float32(float32(acc) * ratio))


def onnx_qdq(acc: int, source: float, target: float) -> int:
    # 53 bits are more than twice 24 and 2: a quotient rounded twice is the one rounded once
    return half_even(float32(float32(float32(acc) * source) / target))

"""Roundings of the Sophgo families: floats to integers, rounding shifts, casts in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from qflow.emulation.arrays import as_array

ShiftRounding = Literal["half_up", "half_away", "floor"]

BF16_DROPPED = 16
"""Low bits of a float32 that a bfloat16 does not have."""
LONGEST_SHIFT = 62
"""A shift beyond it leaves nothing of an int64 but its sign."""


def round_away(values: np.ndarray) -> np.ndarray:
    """To the nearest whole number, halves away from zero; float in, float64 out."""
    wide = as_array(values, np.float64)
    magnitude = np.abs(wide)
    whole = np.floor(magnitude)
    # adding one half would round 0.49999999999999994 up
    return np.copysign(whole + (magnitude - whole >= 0.5), wide)


def half_up(values: np.ndarray) -> np.ndarray:
    """To the nearest whole number, halves towards plus infinity; float in, float64 out."""
    wide = as_array(values, np.float64)
    whole = np.floor(wide)
    return whole + (wide - whole >= 0.5)


def half_even(values: np.ndarray) -> np.ndarray:
    """To the nearest whole number, halves to the even one; float in, float64 out."""
    return np.rint(as_array(values, np.float64))


FLOAT_ROUNDINGS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "round_away": round_away,
    "half_up": half_up,
    "half_even": half_even,
}


def shift_right(
    values: np.ndarray, shift: np.ndarray | int, rounding: ShiftRounding = "half_up"
) -> np.ndarray:
    """`values / 2^shift` rounded to a whole number; int64 in and out, the vendor's RSR.

    A shift below 0 goes left. `half_up` sends halves towards plus infinity, `half_away` away from
    zero, `floor` drops the bits. `shift` broadcasts against `values`.
    """
    wide = as_array(values, np.int64)
    places = as_array(shift, np.int64)
    right = np.clip(places, 0, LONGEST_SHIFT)
    moved = wide << np.maximum(-places, 0)
    if rounding == "floor":
        return moved >> right
    half = (np.int64(1) << right) >> 1  # 0 where nothing is shifted out
    if rounding == "half_up":
        return (moved + half) >> right
    return np.where(moved < 0, -((half - moved) >> right), (moved + half) >> right)


def saturate(values: np.ndarray, low: int, high: int) -> np.ndarray:
    """Clamped to [low, high], int64."""
    return np.clip(values, low, high).astype(np.int64)


def bf16_nearest(values: np.ndarray) -> np.ndarray:
    """float32 with the precision of bfloat16, halves to even; finite values."""
    if not isinstance(values, (np.ndarray, np.generic)):
        return values.bf16_nearest()  # type: ignore[no-any-return]
    bits = as_array(values, np.float32).view(np.uint32).astype(np.uint64)
    odd = (bits >> BF16_DROPPED) & 1
    rounded = (bits + (1 << (BF16_DROPPED - 1)) - 1 + odd) >> BF16_DROPPED << BF16_DROPPED
    return rounded.astype(np.uint32).view(np.float32)


def bf16_truncated(values: np.ndarray) -> np.ndarray:
    """float32 with the precision of bfloat16, low bits dropped."""
    bits = as_array(values, np.float32).view(np.uint32)
    return (bits >> np.uint32(BF16_DROPPED) << np.uint32(BF16_DROPPED)).view(np.float32)


def cast_in(values: np.ndarray, scale: np.ndarray, low: int, high: int) -> np.ndarray:
    """Floats onto a grid: `sat(round_away(float32(x) * float32(1 / S)))`, int64.

    values: any float shape without NaN; scale: float64, one number. The reciprocal is taken in
    float64 and then becomes a float32; the product is one of float32.
    """
    with np.errstate(over="ignore"):  # a product beyond float32 is infinite, and clamped
        product = as_array(values, np.float32) * reciprocal32(scale)
    return np.clip(round_away(product), low, high).astype(np.int64)


def reciprocal32(scale: np.ndarray) -> np.ndarray:
    """float32(1 / S), the factor of every cast from floats."""
    return np.asarray(1.0 / np.asarray(scale, np.float64), np.float32)


def cast_out(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Integers back to floats: `float32(S) * float32(q)`, float32 (mul32, shift8)."""
    return as_array(values, np.float32) * np.asarray(scale, np.float32)


def cast_out_bf16(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Integers back to floats on q31: `bf16(q * bf16(S))`, as float32."""
    return bf16_nearest(as_array(values, np.float32) * bf16_nearest(np.asarray(scale)))


def from_bf16(values: np.ndarray, scale: np.ndarray, low: int, high: int) -> np.ndarray:
    """bfloat16 results onto a grid of q31: truncated, times bf16(1/S), half to even; int64."""
    factor = bf16_nearest(reciprocal32(scale))
    product = bf16_nearest(bf16_truncated(values) * factor)
    return np.clip(half_even(product), low, high).astype(np.int64)


def to_f16(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Integers to float16 for an operator kept in floats: `f16(f16(S) * q)` (mul32)."""
    factor = np.asarray(scale, np.float16).astype(np.float32)
    return (factor * as_array(values, np.float32)).astype(np.float16)


def from_f16(values: np.ndarray, scale: np.ndarray, low: int, high: int) -> np.ndarray:
    """float16 results onto a grid: `sat(round_away(f16(x * f16(1/S))))`, int64 (mul32).

    The interpreter keeps some results in float32; they are not rounded to float16 before.
    """
    factor = np.asarray(1.0 / np.asarray(scale, np.float64), np.float16).astype(np.float32)
    product = (as_array(values, np.float32) * factor).astype(np.float16)
    return np.clip(round_away(product), low, high).astype(np.int64)


def q31_rescale(values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The two roundings of q31: high product half up, held in int32, then a shift half away."""
    high = shift_right(as_array(values, np.int64) * as_array(multiplier, np.int64), 31)
    held = np.clip(high, -(1 << 31), (1 << 31) - 1)
    return shift_right(held, shift, "half_away")


def cvms(values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """`floor(float32(v * m) / 2^r + 0.5)` of q31, int64, not saturated."""
    product = (as_array(values, np.int64) * as_array(multiplier, np.int64)).astype(np.float32)
    scaled = np.ldexp(product, -as_array(shift, np.int32))
    return np.floor(scaled + np.float32(0.5)).astype(np.int64)

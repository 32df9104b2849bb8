"""Weights of BM1684X and BM1688: integers, their scales, biases, and constant operands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qflow.emulation.sophgo.rounding import round_away, saturate

LEAST_SCALE = float(np.float32(1e-5))
"""Weights smaller than 127 of it are on this scale all the same."""
INT8_TOP, UINT8_TOP = 127, 255
EXACT_BITS = 6
"""Weights that are integers times 2^-i, i up to here, are kept exactly."""
INT32 = (-(1 << 31), (1 << 31) - 1)


@dataclass(frozen=True)
class Weights:
    """Integer weights with one scale per output channel, which lies on axis 0."""

    integers: np.ndarray
    """int8 or uint8."""
    scale: np.ndarray
    """float64 [channels]."""


def per_channel(weight: np.ndarray, has_bias: bool) -> Weights:
    """Of a convolution, weights [channels, ...].

    absmax / 127 per channel, a float32 and at least 1e-5; absmax / 255 in uint8 where no weight is
    below 0 and there is no bias. All channels on 2^-i where that makes all of them int8 integers.
    """
    flat = weight.reshape(weight.shape[0], -1).astype(np.float32)
    unsigned = not has_bias and bool((flat >= 0).all())
    top = UINT8_TOP if unsigned else INT8_TOP
    largest = np.abs(flat).max(1, initial=0.0)
    scale = np.maximum((largest / np.float32(top)).astype(np.float64), LEAST_SCALE)
    exact = exact_scale(flat)
    if exact is not None:
        scale = np.full(scale.shape, exact)
    integers = round_away(flat.astype(np.float64) / scale[:, None])
    low, high = (0, UINT8_TOP) if unsigned else (-INT8_TOP - 1, INT8_TOP)
    dtype = np.uint8 if unsigned else np.int8
    return Weights(saturate(integers, low, high).astype(dtype).reshape(weight.shape), scale)


def exact_scale(weight: np.ndarray) -> float | None:
    """2^-i for the smallest i at which every weight times 2^i is an int8 integer; None if none."""
    for i in range(EXACT_BITS + 1):
        scaled = weight.astype(np.float64) * 2.0**i
        whole = bool((scaled == np.rint(scaled)).all())
        if whole and scaled.min() >= -INT8_TOP - 1 and scaled.max() <= INT8_TOP:
            return 2.0**-i
    return None


def per_tensor(weight: np.ndarray) -> Weights:
    """Of a matrix product, weights [channels, ...]: absmax / 127 in float64 for all of them."""
    largest = float(np.abs(weight).max(initial=0.0))
    scale = largest / INT8_TOP if largest > 0 else 1.0
    integers = saturate(round_away(weight.astype(np.float64) / scale), -INT8_TOP - 1, INT8_TOP)
    return Weights(integers.astype(np.int8), np.full(weight.shape[0], scale))


def bias32(bias: np.ndarray | None, weights: Weights, source: float) -> np.ndarray:
    """int32 [channels]: round_away(b / (Sw * Sx)), saturated."""
    if bias is None:
        return np.zeros(weights.scale.shape, np.int32)
    whole = round_away(bias.astype(np.float64) / (weights.scale * source))
    return saturate(whole, *INT32).astype(np.int32)


def constant_operand(value: np.ndarray) -> tuple[np.ndarray, float]:
    """A constant operand of a sum: `round_away(c * 127 / absmax)`, and the scale absmax / 127.

    uint8 and 255 where no value is below 0.
    """
    top, largest = _top_and_largest(value)
    integers = value.astype(np.float64) * top / (largest or 1.0)
    return _as_bytes(integers, top), largest / top if largest > 0 else 1.0


def constant_factor(value: np.ndarray) -> tuple[np.ndarray, float]:
    """A constant operand of a product: `round_away(c / S)`, S the float32 quotient absmax / 127."""
    top, largest = _top_and_largest(value)
    scale = float(np.float32(largest / top)) if largest > 0 else 1.0
    return _as_bytes(value.astype(np.float64) / scale, top), scale


def _top_and_largest(value: np.ndarray) -> tuple[int, float]:
    unsigned = bool((value >= 0).all())
    return UINT8_TOP if unsigned else INT8_TOP, float(np.abs(value).max(initial=0.0))


def _as_bytes(real: np.ndarray, top: int) -> np.ndarray:
    low, dtype = (0, np.uint8) if top == UINT8_TOP else (-INT8_TOP - 1, np.int8)
    return saturate(round_away(real), low, top).astype(dtype)

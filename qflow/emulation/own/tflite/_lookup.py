"""Tables of TFLite for functions of one value: 256 entries, or 513 at int16, made in float32.

int8: `round(f(s_x * (q - zp_x)) * float32(1 / s_y)) + zp_y`. int16, without zero points: 512
segments from the smallest to the largest input, and an entry at each end, `round(f(end) / step)`;
each but the last is moved by half of what a straight line errs amid its segment. `round` is half
away from zero. Source: `LUTPopulate` of TFLite, measured on EXP, LOG, GELU and ELU.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qflow.emulation.rounding import ROUNDINGS

Function = Callable[[np.ndarray], np.ndarray]
"""float64 to float64, value by value; the table rounds what it gives to float32."""
SEGMENTS = 512
WORDS = 1 << 16
LOWEST, HIGHEST = -(1 << 15), (1 << 15) - 1
one, two = np.float32(1), np.float32(2)


def of_bytes(
    function: Function,
    source: tuple[np.float32, int],
    target: tuple[np.float32, int],
    rounding: str = "half_away",
) -> np.ndarray:
    """int8 [256], indexed by the byte; source and target are scale and zero point."""
    values = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.int64)
    real = _float32(function, source[0] * (values - source[1]).astype(np.float32))
    steps = real * (one / target[0])
    return _held(ROUNDINGS[rounding](steps.astype(np.float64)) + target[1], -128, 127).astype(
        np.int8
    )


def of_words(
    function: Function, source: np.float32, target: np.float32, zero: int = 0
) -> np.ndarray:
    """int16 [513]; `zero` is the zero point of the input."""
    first = source * np.float32(LOWEST - zero)
    last = source * np.float32(HIGHEST - zero)
    step = (last - first) / np.float32(SEGMENTS)
    per_real = np.float32(WORDS) / (target * np.float32(HIGHEST) - target * np.float32(LOWEST))
    places = np.arange(SEGMENTS + 1).astype(np.float32)
    ends = _float32(function, first + places * step) * per_real
    middles = _float32(function, first + places[:-1] * step + step / two) * per_real
    entries = _round(ends)
    line = _round((ends[1:] + entries[:-1]) / two)
    moved = _round((line - _round(middles)) / two)
    final = _round(_float32(function, np.array([last])) * per_real)
    table = np.concatenate([entries[:-1] - moved, final])
    return _held(table.astype(np.float64), LOWEST, HIGHEST).astype(np.int16)


def _float32(function: Function, values: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return function(values.astype(np.float64)).astype(np.float32)


def _round(values: np.ndarray) -> np.ndarray:
    return ROUNDINGS["half_away"](values.astype(np.float64)).astype(np.float32)


def _held(values: np.ndarray, low: int, high: int) -> np.ndarray:
    """Clamped; the lowest where the function has no value."""
    return np.clip(np.where(np.isnan(values), low, values), low, high)

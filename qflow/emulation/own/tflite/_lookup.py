"""Tables of TFLite for functions of one value: 256 entries, or 513 at int16, made in float32.

int8: `round(f(s_x * (q - zp_x)) * float32(1 / s_y)) + zp_y`. int16, without zero points: 512
segments from the smallest to the largest input, and an entry at each end, `round(f(end) / step)`;
each but the last is moved by half of what a straight line errs amid its segment. `round` is half
away from zero. Source: `LUTPopulate` of TFLite, measured on EXP, LOG, GELU and ELU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from qflow.emulation.rounding import ROUNDINGS

Function = Callable[[np.ndarray], np.ndarray]
"""float64 to float64, value by value; the table rounds what it gives to float32."""
SEGMENTS = 512
WORDS = 1 << 16
LOWEST, HIGHEST = -(1 << 15), (1 << 15) - 1
one = np.float32(1)


def of_bytes(
    function: Function,
    source: tuple[np.float32, int],
    target: tuple[np.float32, int],
    rounding: str = "half_away",
) -> np.ndarray:
    """int8 [256], indexed by the byte; source and target are scale and zero point."""
    values = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.int64)
    with np.errstate(all="ignore"):
        inputs = source[0] * (values - source[1]).astype(np.float32)
        steps = function(inputs.astype(np.float64)).astype(np.float32) * (one / target[0])
    return _held(ROUNDINGS[rounding](steps.astype(np.float64)) + target[1], -128, 127).astype(
        np.int8
    )


def of_words(function: Function, source: Any, target: Any, zero: int = 0) -> np.ndarray:
    """int16 [513], made in the dtype of the scales; `zero` is the zero point of the input."""
    kind = np.asarray(source).dtype.type

    def of(values: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return function(values.astype(np.float64)).astype(kind)

    first, last = source * kind(LOWEST - zero), source * kind(HIGHEST - zero)
    step = (last - first) / kind(SEGMENTS)
    per_real = kind(WORDS) / (target * kind(HIGHEST) - target * kind(LOWEST))
    places = np.arange(SEGMENTS + 1).astype(kind)
    ends = of(first + places * step) * per_real
    middles = of(first + places[:-1] * step + step / kind(2)) * per_real
    entries = _round(ends)
    line = _round((ends[1:] + entries[:-1]) / kind(2))
    moved = _round((line - _round(middles)) / kind(2))
    final = _round(of(np.array([last])) * per_real)
    table = np.concatenate([entries[:-1] - moved, final])
    return _held(table.astype(np.float64), LOWEST, HIGHEST).astype(np.int16)


def _round(values: np.ndarray) -> np.ndarray:
    return ROUNDINGS["half_away"](values.astype(np.float64)).astype(values.dtype)


def _held(values: np.ndarray, low: int, high: int) -> np.ndarray:
    """Clamped; the lowest where the function has no value."""
    return np.clip(np.where(np.isnan(values), low, values), low, high)

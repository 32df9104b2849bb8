"""Float values onto an integer grid: true division in float32, then one named rounding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


def _half_even(values: np.ndarray) -> np.ndarray:
    return np.rint(values)


def _half_up(values: np.ndarray) -> np.ndarray:
    return np.floor(values + 0.5)


def _half_away(values: np.ndarray) -> np.ndarray:
    return np.copysign(np.floor(np.abs(values) + 0.5), values)


ROUNDINGS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "half_even": _half_even,
    "half_up": _half_up,
    "half_away": _half_away,
}


def to_grid(
    values: np.ndarray, scale: np.ndarray, rounding: str, low: int, high: int
) -> np.ndarray:
    """`clamp(round(values / scale))` as int64.

    values: float32 without NaN; scale: float32, broadcast against them. The quotient is a float32;
    it is rounded in float64, where adding one half cannot round a second time.
    """
    with np.errstate(over="ignore"):  # a quotient beyond float32 is infinite, and clamped
        quotient = values.astype(np.float32) / scale.astype(np.float32)
    rounded = ROUNDINGS[rounding](quotient.astype(np.float64))
    return np.clip(rounded, low, high).astype(np.int64)


def fast_to_grid(values: Tensor, scale: Tensor, rounding: str, low: int, high: int) -> Tensor:
    """The same in torch; the integers come as float32."""
    import torch

    quotient = values.float() / scale
    if rounding == "half_even":
        return quotient.round_().clamp_(low, high)
    wide = quotient.double()
    if rounding == "half_up":
        return wide.add_(0.5).floor_().clamp_(low, high).float()
    away = torch.copysign(wide.abs().add_(0.5).floor_(), wide)
    return away.clamp_(low, high).float()

"""Multiply and shift in torch: float64 where that is proved exact, else int64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qflow.emulation.profile import Limits

EXACT_FLOAT64 = 1 << 53
"""float64 holds every integer up to here."""
DOUBLE_ROUNDING = 30
DOUBLE_ROUNDING_ABOVE = 31


def exact_in_float64(multiplier: np.ndarray, shift: np.ndarray, limits: Limits) -> bool:
    """Whether `floor(value * multiplier * 2^-shift + rounding)`, clamped, is exact in float64.

    Measured in units of the lowest bit, 2^-shift, the product plus its rounding is an integer:
    exact below 2^53. A larger one may be rounded, but rounding is monotonic, so it stays outside
    of the clamp as long as 2^53 units are more than the clamp and the rounding together.
    """
    largest = max(abs(limits.low), abs(limits.high)) + 2
    multipliers, shifts = (a.ravel().tolist() for a in np.broadcast_arrays(multiplier, shift))
    for m, s in zip(multipliers, shifts, strict=True):
        fraction_bits = max(s, 1)
        product = limits.bound * abs(m) << (fraction_bits - s)
        if product + (1 << fraction_bits) >= EXACT_FLOAT64 and (
            EXACT_FLOAT64 >> fraction_bits < largest
        ):
            return False
    return True


def multiply_shift(
    multiplier: np.ndarray,
    shift: np.ndarray,
    limits: Limits,
    double: bool,
    carrier: torch.dtype,
    device: Any,
) -> Callable[[Tensor], Tensor]:
    """`clamp((value * multiplier + rounding) >> shift)`, half up; `double` as TOSA double rounding.

    The result has the dtype `carrier`, which must hold every integer of the clamp.
    """
    build = _in_float64 if exact_in_float64(multiplier, shift, limits) else _in_int64
    return build(
        multiplier.astype(np.int64), shift.astype(np.int64), limits, double, carrier, device
    )


def _in_float64(
    multiplier: np.ndarray,
    shift: np.ndarray,
    limits: Limits,
    double: bool,
    carrier: torch.dtype,
    device: Any,
) -> Callable[[Tensor], Tensor]:
    factor = torch.from_numpy(np.ldexp(multiplier.astype(np.float64), -shift)).to(device)
    second = np.where(shift > DOUBLE_ROUNDING_ABOVE, np.ldexp(1.0, DOUBLE_ROUNDING - shift), 0.0)
    extra = torch.from_numpy(second).to(device) if double and second.any() else None

    def run(values: Tensor) -> Tensor:
        product = values * factor
        if extra is not None:
            product += torch.copysign(extra, product)
        return product.add_(0.5).floor_().clamp_(limits.low, limits.high).to(carrier)

    return run


def _in_int64(
    multiplier: np.ndarray,
    shift: np.ndarray,
    limits: Limits,
    double: bool,
    carrier: torch.dtype,
    device: Any,
) -> Callable[[Tensor], Tensor]:
    factor = torch.from_numpy(multiplier << np.maximum(-shift, 0)).to(device)
    right = torch.from_numpy(np.maximum(shift, 0)).to(device)
    half = torch.from_numpy((np.int64(1) << np.maximum(shift, 0)) >> 1).to(device)
    second = np.where(shift > DOUBLE_ROUNDING_ABOVE, 1 << DOUBLE_ROUNDING, 0)
    extra = torch.from_numpy(second).to(device) if double and second.any() else None

    def run(values: Tensor) -> Tensor:
        whole = values.long()
        product = whole * factor + half
        if extra is not None:
            product += torch.where(whole >= 0, extra, -extra)
        return (product >> right).clamp_(limits.low, limits.high).to(carrier)

    return run

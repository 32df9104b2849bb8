"""Multiply and shift in torch: float64 where that is proved exact, else int64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qflow.emulation.line import DOUBLE_ROUNDING, DOUBLE_ROUNDING_ABOVE, Line, line
from qflow.emulation.profile import Limits


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
    found = line(multiplier, shift, limits, double)
    if found is not None:
        return _in_float64(found, limits, carrier, device)
    whole = (multiplier.astype(np.int64), shift.astype(np.int64))
    return _in_int64(*whole, limits, double, carrier, device)


def _in_float64(
    found: Line, limits: Limits, carrier: torch.dtype, device: Any
) -> Callable[[Tensor], Tensor]:
    factor = torch.from_numpy(found.factor).to(device)
    extra = torch.from_numpy(found.second).to(device) if found.second.size else None

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

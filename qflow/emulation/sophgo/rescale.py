"""Multiply, shift, round: the step every Sophgo rule ends with, in NumPy and in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Constant
from qflow.emulation.profile import Limits
from qflow.emulation.sophgo.rounding import ShiftRounding, shift_right
from qflow.emulation.sophgo.search import SHIFTS

if TYPE_CHECKING:
    from torch import Tensor

EXACT_FLOAT64 = 1 << 53
SMALL_SHIFT, EXACT_FLOAT32 = 22, 1 << 23
"""Products below it, shifted by so many places at most, are rounded exactly in float32."""
INT32 = (-(1 << 31), (1 << 31) - 1)
ONE = ((1,),)


def rescaled(
    values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, rounding: ShiftRounding
) -> np.ndarray:
    """RSR(values * multiplier, shift), int64, not saturated."""
    return shift_right(values * multiplier.astype(np.int64), shift.astype(np.int64), rounding)


def multiplier_and_shift(
    prefix: str = "", shapes: tuple[tuple[int, ...], ...] = ONE, least: int = INT32[0]
) -> dict[str, Constant]:
    """What a node says of the constants of one rescale; a ratio of scales is not below 0."""
    return {
        f"{prefix}multiplier": Constant(("int32",), shapes, low=least, high=INT32[1]),
        f"{prefix}shift": Constant(("int32",), shapes, low=SHIFTS[0], high=SHIFTS[1] + 1),
    }


def named(multiplier: np.ndarray, shift: np.ndarray, prefix: str = "") -> dict[str, np.ndarray]:
    """The same constants, int32 [1] or [channels]."""
    return {
        f"{prefix}multiplier": np.atleast_1d(multiplier).astype(np.int32),
        f"{prefix}shift": np.atleast_1d(shift).astype(np.int32),
    }


def fast_shift(
    shift: np.ndarray, bound: int, rounding: ShiftRounding, device: Any
) -> Callable[[Tensor], Tensor]:
    """RSR(values, shift) of integers up to `bound` in a float carrier; a float carrier again.

    In float32 or float64, whichever holds `values` and their halves; raises nothing: a bound beyond
    2^53 goes through int64.
    """
    import torch

    places = shift.astype(np.int64)
    largest = max(int(np.abs(places).max()), 1)
    small = bound < EXACT_FLOAT32 and largest <= SMALL_SHIFT and device.type == "cpu"
    if bound + (1 << largest) >= EXACT_FLOAT64:
        return _through_int64(places, rounding, device)
    dtype = torch.float32 if small else torch.float64
    factor = torch.from_numpy(np.ldexp(1.0, -places)).to(device, dtype)
    if rounding == "half_up":
        return lambda v: (v.to(dtype) * factor).add_(0.5).floor_()

    def away(values: Tensor) -> Tensor:
        real = values.to(dtype) * factor
        return torch.copysign(real.abs().add_(0.5).floor_(), real)

    return away


def _through_int64(
    places: np.ndarray, rounding: ShiftRounding, device: Any
) -> Callable[[Tensor], Tensor]:
    import torch

    right = torch.from_numpy(np.maximum(places, 0)).to(device)
    left = torch.from_numpy(np.maximum(-places, 0)).to(device)
    half = (torch.ones_like(right) << right) >> 1

    def run(values: Tensor) -> Tensor:
        whole = values.long() << left
        if rounding == "half_up":
            return ((whole + half) >> right).double()
        return (torch.sign(whole) * ((whole.abs() + half) >> right)).double()

    return run


def fast_rescale(
    multiplier: np.ndarray,
    shift: np.ndarray,
    rounding: ShiftRounding,
    limits: Limits,
    device: Any,
) -> Callable[[Tensor], Tensor]:
    """RSR(values * multiplier, shift), clamped; integers in a float carrier, float32 out."""
    import torch

    most = int(np.abs(multiplier.astype(np.int64)).max()) * limits.bound
    if most >= EXACT_FLOAT64:
        return _wide(multiplier, shift, rounding, limits, device)
    round_off = fast_shift(shift, most, rounding, device)
    dtype = torch.float32 if most < EXACT_FLOAT32 else torch.float64
    factor = torch.from_numpy(multiplier.astype(np.float64)).to(device, dtype)

    def run(values: Tensor) -> Tensor:
        return round_off(values.to(dtype) * factor).clamp_(limits.low, limits.high).float()

    return run


def _wide(
    multiplier: np.ndarray,
    shift: np.ndarray,
    rounding: ShiftRounding,
    limits: Limits,
    device: Any,
) -> Callable[[Tensor], Tensor]:
    import torch

    factor = torch.from_numpy(multiplier.astype(np.int64)).to(device)
    round_off = _through_int64(shift.astype(np.int64), rounding, device)

    def run(values: Tensor) -> Tensor:
        return round_off(values.long() * factor).clamp_(limits.low, limits.high).float()

    return run

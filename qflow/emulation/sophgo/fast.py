"""Roundings of CV18xx in torch, on floats that are proved to hold every integer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from qflow.emulation.profile import Limits

FLOAT64_BITS = 53
HIGH_BITS = 31
"""Bits that the high product of q31 drops."""


def power(shift: np.ndarray, dtype: Any, device: Any) -> Tensor:
    """2^-shift."""
    import torch

    return torch.from_numpy(np.ldexp(1.0, -shift.astype(np.int64))).to(dtype).to(device)


def tensor(values: np.ndarray, dtype: Any, device: Any) -> Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(values.astype(np.float64))).to(dtype).to(device)


def half_away(values: Tensor, step: Tensor) -> Tensor:
    """`values * step`, a power of two, to the nearest whole number, halves away from zero."""
    import torch

    scaled = values * step
    return scaled.add_(torch.copysign(torch.full_like(scaled, 0.5), scaled)).trunc_()


def q31_rescale(
    multiplier: np.ndarray, shift: np.ndarray, limits: Limits, device: Any
) -> Callable[[Tensor], Tensor]:
    """`rounding.q31_rescale` and the clamp; float32 out.

    In float64 where the product with the odd part of the multiplier has 53 bits, in int64 else.
    """
    import torch

    odd = max(_odd_part(m) for m in multiplier.reshape(-1).tolist())
    if limits.bound * odd + (1 << HIGH_BITS) >= 1 << FLOAT64_BITS or limits.bound >= 1 << HIGH_BITS:
        return _q31_in_int64(multiplier, shift, limits, device)
    factor = tensor(np.ldexp(multiplier.astype(np.float64), -HIGH_BITS), torch.float64, device)
    step = power(shift, torch.float64, device)

    def run(values: Tensor) -> Tensor:
        high = (values.double() * factor).add_(0.5).floor_()
        return half_away(high, step).clamp_(limits.low, limits.high).float()

    return run


def _q31_in_int64(
    multiplier: np.ndarray, shift: np.ndarray, limits: Limits, device: Any
) -> Callable[[Tensor], Tensor]:
    import torch

    factor = torch.from_numpy(multiplier.astype(np.int64)).to(device)
    step = power(shift, torch.float64, device)
    top = (1 << HIGH_BITS) - 1

    def run(values: Tensor) -> Tensor:
        high = (values.long() * factor + (1 << (HIGH_BITS - 1))) >> HIGH_BITS
        held = high.clamp_(-top - 1, top).double()
        return half_away(held, step).clamp_(limits.low, limits.high).float()

    return run


def _odd_part(number: int) -> int:
    magnitude = abs(number)
    return magnitude // (magnitude & -magnitude) if magnitude else 0


def cvms(
    multiplier: np.ndarray, shift: np.ndarray, bound: int, device: Any
) -> Callable[[Tensor], Tensor]:
    """`rounding.cvms`, of integers up to `bound`: the product is rounded to float32, as there."""
    import torch

    if bound * int(np.abs(multiplier.astype(np.int64)).max()) < 1 << FLOAT64_BITS:
        factor = tensor(multiplier, torch.float64, device)
        step = power(shift, torch.float32, device)

        def run(values: Tensor) -> Tensor:
            product = (values.double() * factor).float()
            return product.mul_(step).add_(0.5).floor_()

        return run
    raise AssertionError("an 8-bit multiplier times a sum of bytes has 53 bits")

"""sums: accumulators in float32, float32 twice, float64, or int64 made of two float64 sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    Multiply = Callable[[Tensor, Tensor, Tensor | None], Tensor]

HALVES = "float32 twice"
"""int16 inputs as two bytes: a float32 sum of each, joined in float64."""


def sums(
    weight: np.ndarray,
    bias: np.ndarray,
    carrier: str,
    device: Any,
    view: tuple[int, ...],
    multiply: Multiply,
) -> Callable[[Tensor], Tensor]:
    """From centred operands to accumulators; `multiply(x, weight, bias)` sums in their dtype."""
    import torch

    offset = torch.from_numpy(bias.astype(np.int64)).to(device)
    whole = torch.from_numpy(weight.astype(np.int64)).to(device)
    if carrier == HALVES:
        return _in_halves(whole.float(), offset.float(), multiply)
    if carrier != "int64":
        dtype = getattr(torch, carrier)
        taps, start = whole.to(dtype), offset.to(dtype)
        return lambda x: multiply(x.to(dtype), taps, start)

    # two sums of half the width, each exact in float64, joined as integers
    upper, lower = (whole >> 8).double(), (whole & 255).double()
    shaped_offset = offset.reshape(view)

    def split(x: Tensor) -> Tensor:
        wide = x.double()
        high, low = multiply(wide, upper, None).long(), multiply(wide, lower, None).long()
        return (high << 8) + low + shaped_offset

    return split


def _in_halves(weight: Tensor, bias: Tensor, multiply: Multiply) -> Callable[[Tensor], Tensor]:
    from qflow.emulation.runtimes._blocks import blockwise

    def join(high: Tensor, low: Tensor) -> Tensor:
        return high.double().mul_(256).add_(low)

    def split(x: Tensor) -> Tensor:
        wide = x.float()
        high = (wide * (1 / 256)).floor_()  # exact: 24 bits hold the value and its half
        low = wide - high * 256
        return blockwise(join)(multiply(high, weight, None), multiply(low, weight, bias))

    return split

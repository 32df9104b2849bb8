"""aciq_gauss: the best clipping range of a bell curve, whose width extremes and count give."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from qflow.quantization.observer import Observer, State, extremes

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid

ALPHAS = {4: 2.55913642, 8: 3.92403337}
"""Bits to the best clip of a unit normal, as the calibration toolchain rounds them."""


@dataclass(frozen=True, eq=False)
class Spread(State):
    low: Tensor
    """float64 [C]; infinite before any data."""
    high: Tensor
    """float64 [C]; minus infinite before any data."""
    count: Tensor
    """int64 [C]."""


@dataclass(frozen=True)
class AciqGauss(Observer):
    """alpha * sigma, sigma = (max - min) / 2 * 0.35 * (1 + sqrt(pi ln 4)) / sqrt(2 ln n).

    Banner et al. 2019, as the calibration toolchain has it; it averages the results of batches,
    while max, min and n here are those of all data. It supposes values around zero. Never wider
    than the data; the data's own range where the formula gives none (one value, or equal ones).
    """

    def start(self, channels: int) -> Spread:
        import torch

        infinite = torch.full((channels,), torch.inf, dtype=torch.float64)
        return Spread(infinite, -infinite, torch.zeros(channels, dtype=torch.int64))

    def observe(self, state: Spread, x: Tensor) -> Spread:
        return self.observe_within(state, x, *extremes(x))

    def observe_within(self, state: Spread, x: Tensor, low: Tensor, high: Tensor) -> Spread:
        return Spread(
            state.low.minimum(low.double()),
            state.high.maximum(high.double()),
            state.count + x.shape[1],
        )

    def merge(self, a: Spread, b: Spread) -> Spread:
        return Spread(a.low.minimum(b.low), a.high.maximum(b.high), a.count + b.count)

    def range(self, state: Spread, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        largest = state.high.maximum(-state.low)
        share = 0.5 * 0.35 * (1 + math.sqrt(math.pi * math.log(4)))
        sigma = (state.high - state.low) * share / (2 * state.count.double().log()).sqrt()
        clip = alpha((grid.qmax - grid.qmin).bit_length()) * sigma
        high = clip.minimum(largest).where(clip > 0, largest)
        return -high, high


@cache
def alpha(bits: int) -> float:
    """The clip of a unit normal at which rounding and clipping cost least together.

    The root of 3 * 4^bits * 2 (phi(a) - a Q(a)) = a, by halving, for bits the table does not have.
    """
    if bits in ALPHAS:
        return ALPHAS[bits]
    low, high = 0.1, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        density = math.exp(-(middle**2) / 2) / math.sqrt(2 * math.pi)
        beyond = math.erfc(middle / math.sqrt(2)) / 2
        gains = 6 * 4.0**bits * (density - middle * beyond) > middle
        low, high = (middle, high) if gains else (low, middle)
    return low

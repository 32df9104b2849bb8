"""Samples: a threshold for each sample alone, averaged over the samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import State
from qflow.quantization.observers import aciq_gauss, aciq_laplace

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid

ROUNDS = 20
"""Steps of the fixed point at most."""
CLOSE = 1e-6
"""A smaller step ends it; in the unit of the tensor, as there."""
BITS = 8
"""The methods are told of no other grid."""


@dataclass(frozen=True, eq=False)
class Averaged(State):
    total: Tensor
    """float64 [1]: the thresholds of the samples, added up."""
    count: Tensor
    """int64 [1]: samples."""
    low: Tensor
    """float64 [1], as `high`: the extremes of all samples; infinite before any."""
    high: Tensor


@dataclass(frozen=True)
class Mean:
    """The mean of what `threshold` finds in each sample, at most the largest magnitude of all."""

    threshold: Callable[[Tensor], float]

    def start(self, channels: int) -> Averaged:
        import torch

        zero = torch.zeros(1, dtype=torch.float64)
        return Averaged(zero, zero.long(), zero + torch.inf, zero - torch.inf)

    def observe(self, state: Averaged, x: Tensor) -> Averaged:
        low, high = x.reshape(-1).aminmax()
        found = Averaged(
            state.total.new_tensor([self.threshold(x)]),
            state.count.new_tensor([1]),
            low.double().reshape(1),
            high.double().reshape(1),
        )
        return self.merge(state, found)

    def merge(self, a: Averaged, b: Averaged) -> Averaged:
        return Averaged(
            a.total + b.total, a.count + b.count, a.low.minimum(b.low), a.high.maximum(b.high)
        )

    def range(self, state: Averaged, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        largest = state.high.maximum(-state.low)
        return around((state.total / state.count).minimum(largest), state.low)


def around(threshold: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
    """The range of a threshold [1]: on both sides, or above zero where no value was below."""
    return low.minimum(threshold).where(low >= 0, -threshold), threshold


def octav(x: Tensor) -> float:
    """Their `mse`: s = sum(|x| > s) / (4^-8 / (3 u) * n(|x| <= s) + n(|x| > s)), at most 20 times.

    It starts at the mean of |x| without zeros. u is 4 where the smallest value is about 0. The
    whole is that of Sakr et al. 2022; zeros alone give 1.
    """
    magnitude = x.double().abs()
    filled = magnitude[magnitude > 0]
    if not filled.numel():
        return 1.0
    inside = 4.0**-BITS / (3 * (4 if abs(float(x.min())) < CLOSE else 1))
    s = float(filled.mean())
    for _ in range(ROUNDS):
        above = magnitude > s
        clipped = int(above.sum())
        moved = float(magnitude[above].sum()) / (inside * (x.numel() - clipped) + clipped)
        s, before = moved, s
        if abs(s - before) < CLOSE:
            break
    return s


def gauss(x: Tensor) -> float:
    """`aciq_gauss` of one sample; NaN for a single value, which ends as the least threshold."""
    if x.numel() < 2:
        return math.nan
    share = 0.5 * 0.35 * (1 + math.sqrt(math.pi * math.log(4)))
    # the difference in float32, as theirs
    reach = float(x.max().float() - x.min().float())
    return aciq_gauss.alpha(BITS) * reach * share / math.sqrt(2 * math.log(x.numel()))


def laplace(x: Tensor) -> float:
    """`aciq_laplace` of one sample, in NumPy's float32 means, as theirs: the sixth digit shows."""
    import numpy as np

    values = x.reshape(-1).float().cpu().numpy()
    return aciq_laplace.alpha(BITS) * float(np.mean(np.abs(values - np.mean(values))))

"""aciq_laplace: the best clipping range of a Laplace curve of the data's mean deviation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from qflow.quantization.observers import _histogram
from qflow.quantization.observers._sums import Summing, Sums, total

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid

ALPHAS = {4: 5.02864014, 8: 9.89675982}
"""Bits to the best clip of a Laplace curve of scale 1, as the calibration toolchain rounds them."""


@dataclass(frozen=True)
class AciqLaplace(Summing):
    """alpha * mean(|x - mean(x)|), never wider than the data.

    Banner et al. 2019, as the calibration toolchain has it; it averages the results of batches,
    here it is one mean over all values. The bin the mean lies in counts as its own mean, the others
    are exact. It supposes values around zero; equal values get their own range.
    """

    bins: int = 2048
    """Bins from zero to the top, a power of two."""

    def __post_init__(self) -> None:
        _histogram.check_bins(self.bins)

    def range(self, state: Sums, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        count = total(state).double().clamp_min(1)
        mean = state.sums.sum(1) / count
        deviation = (state.sums - state.counts * mean[:, None]).abs().sum(1)
        deviation = (deviation + state.zeros * mean.abs()) / count
        # sums of equal values leave a rounding error, and nothing else
        clip = alpha((grid.qmax - grid.qmin).bit_length()) * deviation
        high = clip.minimum(state.largest).where(deviation > 1e-12 * state.largest, state.largest)
        return -high, high


@cache
def alpha(bits: int) -> float:
    """The root of a * e^a = 3 * 4^bits, by Newton's method, for bits the table does not have."""
    if bits in ALPHAS:
        return ALPHAS[bits]
    target = math.log(3) + bits * math.log(4)
    a = target
    for _ in range(50):
        a -= (a + math.log(a) - target) / (1 + 1 / a)
    return a

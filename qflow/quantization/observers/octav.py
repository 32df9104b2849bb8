"""octav: the clipping range of lowest expected error, found by a short fixed-point iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observers import _histogram
from qflow.quantization.observers._sums import Summing, Sums, total

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid

ROUNDS = 20
"""At most so many steps."""
CLOSE = 1e-6
"""A step smaller than this share of the largest magnitude ends it."""


@dataclass(frozen=True)
class Octav(Summing):
    """From s = mean of |x| without zeros, s = sum(|x| > s) / (4^-B / (3 u) * n(|x| <= s) + n(> s)).

    B is the number of bits; u is 4 where the smallest value is zero, as after a relu, else 1 (Sakr
    et al. 2022, as the calibration toolchain's `mse` has it). There each batch gives an s and
    these are averaged; here all values give one. There it stops at an absolute 1e-6, which depends
    on the unit of the tensor; here at that share of the largest value. The values of a bin are
    taken as equal to their mean.
    """

    bins: int = 2048
    """Bins from zero to the top, a power of two."""

    def __post_init__(self) -> None:
        _histogram.check_bins(self.bins)

    def range(self, state: Sums, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        import torch

        bits = (grid.qmax - grid.qmin).bit_length()
        counts = state.counts.double()
        mass = state.sums.abs()
        mean = mass / counts.clamp_min(1)
        every = counts.sum(1).clamp_min(1)
        one_sided = (state.counts[:, : state.bins].sum(1) == 0) & (state.zeros > 0)
        inside = 4.0**-bits / 3 / torch.where(one_sided, 4.0, 1.0).double()
        s = mass.sum(1) / every
        going = s > 0
        for _ in range(ROUNDS):
            above = mean > s[:, None]
            clipped = (counts * above).sum(1)
            kept = total(state).double() - clipped
            after = (mass * above).sum(1) / (inside * kept + clipped).clamp_min(1e-300)
            moved = (after - s).abs() >= CLOSE * state.largest
            s = torch.where(going, after, s)
            going &= moved
            if not going.any():
                break
        high = s.minimum(state.largest)
        return -high, high

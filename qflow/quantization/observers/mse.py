"""mse: the symmetric range whose quantization error is smallest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from qflow.quantization.observers import _histogram
from qflow.quantization.observers._error import costs
from qflow.quantization.observers._histogram import Counting, Counts

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid

STEPS = 100
"""Ranges to choose from: so many equal parts of the largest magnitude."""
TRIED = 200
"""Ranges tried first: so many equal parts of the histogram's top, at most twice the largest."""


@dataclass(frozen=True)
class Mse(Counting):
    """Chooses among percent steps of the largest magnitude the one of lowest squared error.

    The field quantizes and dequantizes each batch for each step, and averages the winners. Here all
    batches go into one histogram, and the error of a range is the integral of its squared error
    over each bin, values taken as even within a bin: one pass, and the order does not matter. The
    errors are computed at half percents of the histogram's top, a power of two, so that one table
    of integrals serves every tensor and a search is one product; the steps around it decide.
    Were those half percents the ranges themselves, the scales of two tensors would stand in simple
    ratios, and rescaling between them would end in exact ties, which runtimes round differently.
    """

    stride: int = 1
    """Take every so many percent steps, from 100 down."""
    bins: int = 2048
    """Bins from zero to the top, a power of two."""

    def __post_init__(self) -> None:
        if not 1 <= self.stride <= 20:
            raise ValueError(f"it must lie in 1..20, not {self.stride}")
        _histogram.check_bins(self.bins)

    def range(self, state: Counts, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        import torch

        counts = state.counts.double()
        # everything below is in bins: edges are whole numbers, and no channel differs
        widest = state.largest / state.width
        limits = (grid.qmin, grid.qmax, grid.divisor)
        tried, table = (t.to(counts.device) for t in _table(self.bins, *limits))
        coarse = (counts @ table).where(tried < widest[:, None], torch.inf).argmin(dim=1)
        steps = _near(tried[coarse], widest, self.stride)
        errors = torch.stack(
            [(counts * costs(self.bins, high[:, None], *limits)).sum(dim=1) for high in steps]
        )
        # the first of equal ones is the widest
        high = steps.gather(0, errors.argmin(dim=0, keepdim=True))[0] * state.width
        return -high, high


@lru_cache(maxsize=8)
def _table(bins: int, qmin: int, qmax: int, divisor: float) -> tuple[Tensor, Tensor]:
    """Candidates [K] in bins, and what one value in each bin costs under each, [2 * bins, K]."""
    import torch

    candidates = torch.arange(1, TRIED + 1).double() / TRIED * bins
    return candidates, costs(bins, candidates[:, None], qmin, qmax, divisor).T.contiguous()


def _near(high: Tensor, largest: Tensor, stride: int) -> Tensor:
    """Ranges [4, C]: the largest, and the nearest of its percent steps with its neighbours."""
    import torch

    # a channel of zeros has no error at any range; its steps are as good as any
    share = (high / largest).nan_to_num(1.0, posinf=1.0)
    down = ((1 - share) * STEPS / stride).round()
    beside = torch.stack([torch.zeros_like(down), down - 1, down, down + 1])
    return (STEPS - beside.clamp(0, (STEPS - 1) // stride) * stride) / STEPS * largest

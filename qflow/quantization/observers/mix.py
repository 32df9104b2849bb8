"""mix: the best of several percentiles and the largest magnitude, by squared error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observers import _histogram
from qflow.quantization.observers._error import costs
from qflow.quantization.observers._histogram import Counting, Counts
from qflow.quantization.observers.percentile import Percentile

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid

PERCENTILES = (100.0, 99.9999, 99.999, 99.995, 99.99, 99.95, 99.9, 99.5, 99.0)
"""The ranges to choose from; 100 is the largest magnitude."""


@dataclass(frozen=True)
class Mix(Counting):
    """Takes the percentile whose range costs the least squared error, the widest of equal ones.

    The toolchain says that its own tries several percentiles and other ranges on each batch, not
    which, and averages; here it is one choice over all batches. The error is that of `mse`.
    """

    bins: int = 2048
    """Bins from zero to the top, a power of two."""

    def __post_init__(self) -> None:
        _histogram.check_bins(self.bins)

    def range(self, state: Counts, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        import torch

        highs = torch.stack([Percentile(p, self.bins).range(state, grid)[1] for p in PERCENTILES])
        counts = state.counts.double()
        limits = (grid.qmin, grid.qmax, grid.divisor)
        errors = [
            (counts * costs(self.bins, high[:, None], *limits)).sum(dim=1)
            for high in highs / state.width
        ]
        chosen = torch.stack(errors).argmin(dim=0, keepdim=True)
        high = highs.gather(0, chosen)[0]
        return -high, high

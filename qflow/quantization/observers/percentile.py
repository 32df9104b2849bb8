"""percentile: a symmetric range that leaves the largest magnitudes outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observers import _histogram
from qflow.quantization.observers._histogram import Counting, Counts

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid


@dataclass(frozen=True)
class Percentile(Counting):
    """From a histogram over all batches; right to within one bin.

    The toolchain takes the percentile of each batch and averages these over the batches. Here it is
    the percentile of all values, so it does not matter how the data is cut.
    """

    percentile: float = 99.99
    """How many percent of the magnitudes stay inside. 100 is the largest magnitude, exactly."""
    bins: int = 2048
    """Bins from zero to the top, a power of two."""

    def __post_init__(self) -> None:
        if not 0 < self.percentile <= 100:
            raise ValueError(f"it is in percent, above 0 and up to 100, not {self.percentile}")
        _histogram.check_bins(self.bins)

    def range(self, state: Counts, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        bins = state.bins
        counts = _histogram.magnitudes(state)
        below = counts.cumsum(1) + state.zeros[:, None]
        # exact where the percentile is: 100 percent of n is n
        wanted = below[:, -1].double() * self.percentile / 100
        index = (below < wanted[:, None]).sum(1, keepdim=True).clamp_max(bins - 1)
        here = counts.gather(1, index)[:, 0].double()
        before = below.gather(1, index)[:, 0].double() - here
        inside = ((wanted - before) / here.clamp_min(1)).clamp(0, 1)
        edge = ((index[:, 0] + inside) * state.width).minimum(state.largest)
        # zeros alone reach the percentile: a range of nothing would clip all there is
        edge = edge.where(wanted > state.zeros, state.largest)
        return -edge, edge

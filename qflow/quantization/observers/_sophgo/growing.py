"""Growing: a histogram of magnitudes with bins of the first sample's width, and their `kl`.

It starts with 2048 bins up to the largest magnitude of the first sample. A larger value appends as
many bins of that width as it takes. Values are counted at the nearest of the bin's whole numbers,
in bins one part in their number wider, because the last one stands for the top itself; zeros are
left out.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import State
from qflow.quantization.observers._divergence import pair, relative_entropy
from qflow.quantization.observers._sophgo.samples import around

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid

LOG = logging.getLogger("qflow")
BINS = 2048
MOST_BINS = 8_000_000
"""Beyond it the calibrator starts its histogram anew, and so do we."""
SEARCHED = 64 * 2048
"""Neighbours are added until no more bins are left than these."""
CAPACITY = 8192
"""Bins there is memory for at least."""
AT_ONCE = 1 << 18
"""Entries in each table of the search."""


@dataclass(frozen=True, eq=False)
class Growing(State):
    counts: Tensor
    """int64 [1, capacity]."""
    used: Tensor
    """int64 [1]: how many of the bins there are by now; 0 before any data."""
    top: Tensor
    """float64 [1]: where they end."""
    low: Tensor
    """float64 [1], as `high`: the extremes; infinite before any."""
    high: Tensor

    @property
    def width(self) -> float:
        """Of a bin, while values are counted."""
        return float(self.top) / (int(self.used) - 1)


class NearestKl:
    """The range of lowest divergence, at most the largest magnitude; see `observers.kl`.

    For i = B, 2B, ... bins, B = 128 for int8: P is the first i bins with all beyond added to the
    last; Q averages B equal groups of them, without the beyond. The range is i bins wide.
    """

    def start(self, channels: int) -> Growing:
        import torch

        zero = torch.zeros(1, dtype=torch.float64)
        none = torch.zeros(1, dtype=torch.int64)
        return Growing(none.new_zeros(1, CAPACITY), none, zero, zero + torch.inf, zero - torch.inf)

    def observe(self, state: Growing, x: Tensor) -> Growing:
        low, high = (v.double().reshape(1) for v in x.reshape(-1).aminmax())
        magnitude = x[x != 0].abs()
        counted = _with(state, magnitude, magnitude.new_ones(0))
        return _within(counted, state.low.minimum(low), state.high.maximum(high))

    def merge(self, a: Growing, b: Growing) -> Growing:
        """As if each value of `b` had been the middle of its bin."""
        import torch

        low, high = a.low.minimum(b.low), a.high.maximum(b.high)
        if not a.used or not b.used:
            return _within(b if not a.used else a, low, high)
        middles = torch.arange(int(b.used), device=b.top.device).double() * b.width
        return _within(_with(a, middles, b.counts[0, : int(b.used)]), low, high)

    def range(self, state: Growing, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        largest = state.high.maximum(-state.low)
        if not state.used:
            return around(largest, state.low)
        groups, width = _search(state, -grid.qmin)
        return around(
            (largest.new_tensor([groups * -grid.qmin]) * width).minimum(largest), state.low
        )


def _within(state: Growing, low: Tensor, high: Tensor) -> Growing:
    return Growing(state.counts, state.used, state.top, low, high)


def _with(state: Growing, magnitude: Tensor, weights: Tensor) -> Growing:
    """The histogram with magnitudes [N] above zero added, each as often as `weights` [N] says.

    No weights are one each.
    """
    import torch

    largest = float(magnitude.max()) if magnitude.numel() else 0.0
    if largest == 0.0:
        return state
    bins, top = int(state.used), float(state.top)
    if not bins:
        bins, top = BINS, largest
    elif largest > top:
        # the width of the first sample, whatever was appended since
        step = top / bins
        extra = int((largest - top) // step + 1)
        bins, top = bins + extra, top + extra * step
    counts = state.counts[0]
    if bins > MOST_BINS:
        LOG.warning("a histogram of %s bins starts anew: its first sample was too small", bins)
        bins, top, counts = BINS, largest, counts.new_zeros(CAPACITY)
    # in float32, as theirs
    width = torch.tensor(top / (bins - 1), dtype=torch.float32, device=magnitude.device)
    index = (magnitude.float() / width).add_(0.5).floor_().long().clamp_max_(bins - 1)
    grown = counts.new_zeros(max(counts.numel(), 1 << (bins - 1).bit_length()))
    grown[: counts.numel()] = counts
    if weights.numel():
        grown.index_add_(0, index, weights)
    else:
        grown += torch.bincount(index, minlength=grown.numel())
    made = grown[None], state.used.new_tensor([bins]), state.top.new_tensor([top])
    return Growing(*made, state.low, state.high)


def _search(state: Growing, steps: int) -> tuple[int, float]:
    """How many bins make a group of the best range, and how wide a bin is."""
    import torch

    counts = state.counts[0, : int(state.used)].double()
    # in float32, as theirs
    width = float(torch.tensor(state.width, dtype=torch.float32))
    counts = torch.nn.functional.pad(counts, (0, -counts.numel() % steps))
    while counts.numel() > SEARCHED and counts.numel() % (2 * steps) == 0:
        counts, width = counts.reshape(-1, 2).sum(1), 2 * width
    groups = counts.numel() // steps
    rows = max(1, AT_ONCE // counts.numel())
    found = [
        relative_entropy(*pair(counts, steps, first, min(first + rows, groups)))
        for first in range(0, groups, rows)
    ]
    return int(torch.cat(found).argmin()) + 1, width

"""Tails: the largest and the smallest values of all samples, for percentiles near their ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import State

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid

LEAST_PERCENT = 99.99
"""No percentile lies further inside."""
KEPT = 4096
"""Values kept at each end at least; enough for forty million values in any order."""


@dataclass(frozen=True, eq=False)
class Tails(State):
    top: Tensor
    """float64 [1, K], falling; minus infinity where there are fewer."""
    bottom: Tensor
    """float64 [1, K], rising; infinity where there are fewer."""
    count: Tensor
    """int64 [1]: of all values."""


@dataclass(frozen=True)
class Percentile:
    """Both ends at a percentile `p`; the range is what they reach.

    With n values in order, counted from 0, the upper end lies at the place (n - 1) * p + 1, at most
    the last, and the lower one at (n - 1) * (1 - p) - 1, at least the first; between two values
    linearly. One further out than the usual definition, as measured. Beyond `KEPT` / 0.0001 values
    twice as many are kept as are needed by then: right unless later samples are far smaller.
    """

    percent: float

    def start(self, channels: int) -> Tails:
        import torch

        none = torch.full((1, KEPT), torch.inf, dtype=torch.float64)
        return Tails(-none, none, torch.zeros(1, dtype=torch.int64))

    def observe(self, state: Tails, x: Tensor) -> Tails:
        import torch

        count = torch.full_like(state.count, x.numel())
        some = min(x.numel(), _kept(int(state.count) + x.numel()))
        top = x.topk(some, dim=1).values.double()
        return self.merge(state, Tails(top, -(-x).topk(some, dim=1).values.double(), count))

    def merge(self, a: Tails, b: Tails) -> Tails:
        import torch

        count = a.count + b.count
        some = max(_kept(int(count)), a.top.shape[1])
        top = torch.cat([a.top, b.top], dim=1)
        bottom = torch.cat([a.bottom, b.bottom], dim=1)
        missing = max(some - top.shape[1], 0)
        top = torch.nn.functional.pad(top, (0, missing), value=-torch.inf)
        bottom = torch.nn.functional.pad(bottom, (0, missing), value=torch.inf)
        return Tails(top.topk(some, dim=1).values, -(-bottom).topk(some, dim=1).values, count)

    def range(self, state: Tails, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        count = int(state.count)
        place = (count - 1) * (1 - self.percent / 100) - 1
        place = min(max(place, 0.0), count - 1.0)
        return _between(state.bottom[0], place), _between(state.top[0], place)


def _kept(count: int) -> int:
    """A power of two, so that it seldom changes."""
    needed = int(2 * count * (1 - LEAST_PERCENT / 100)) + 2
    return max(KEPT, 1 << needed.bit_length())


def _between(values: Tensor, place: float) -> Tensor:
    first = int(place)
    low = values[first : first + 1]
    share = place - first
    return low + share * (values[first + 1 : first + 2] - low) if share else low

"""Sums: a histogram that also keeps the sum of the values in each bin, so that means are means.

Every value of a bin lies in one binade, so its sum in float64 is exact up to 2 ** 29 values; but
for the two bins beside zero, whose last bits depend on the order of batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import Observer, extremes
from qflow.quantization.observers import _counting, _histogram
from qflow.quantization.observers._histogram import Counts

if TYPE_CHECKING:
    from torch import Tensor

AT_ONCE = 1 << 20
"""Values added up at a time, for the caches of a CPU; the last bits depend on it."""


@dataclass(frozen=True, eq=False)
class Sums(Counts):
    sums: Tensor
    """float64 [C, 2 * bins]: of signed values."""


class Summing(Observer):
    """An observer whose state is a histogram with sums."""

    rounding_error = 1e-12
    bins: int

    def start(self, channels: int) -> Sums:
        import torch

        empty = _histogram.empty(channels, self.bins)
        return Sums(
            **empty.tensors(), sums=torch.zeros(channels, 2 * self.bins, dtype=torch.float64)
        )

    def observe(self, state: Sums, x: Tensor) -> Sums:
        return self.observe_within(state, x, *extremes(x))

    def observe_within(self, state: Sums, x: Tensor, low: Tensor, high: Tensor) -> Sums:
        counted = _histogram.with_values_within(state, x, low, high)
        sums = _histogram.grown(state.sums, state.exponent, counted.exponent)
        # piece by piece, for the caches; rows of many channels are short anyway
        for piece in x.split(AT_ONCE, dim=1):
            sums = sums + _summed(piece, counted.exponent, state.bins)
        return Sums(**counted.tensors(), sums=sums)

    def merge(self, a: Sums, b: Sums) -> Sums:
        both = _histogram.merged(a, b)
        return Sums(
            **both.tensors(),
            sums=_histogram.grown(a.sums, a.exponent, both.exponent)
            + _histogram.grown(b.sums, b.exponent, both.exponent),
        )


def _summed(x: Tensor, exponent: Tensor, bins: int) -> Tensor:
    """What the values of each bin add up to, float64 [C, 2 * bins], of a batch [C, N]."""
    import torch

    size = 2 * bins * x.shape[0]
    index = _counting.indices(x, exponent, bins).flatten()
    sums = torch.bincount(index, weights=x.flatten().double(), minlength=size)
    return sums.reshape(x.shape[0], 2 * bins)


def total(state: Sums) -> Tensor:
    """int64 [C]: how many values, zeros among them."""
    return state.counts.sum(dim=1) + state.zeros

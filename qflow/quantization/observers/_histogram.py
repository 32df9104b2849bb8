"""Histogram: counts of signed values in equal bins, whose top is a power of two per channel.

When a larger value comes, the top doubles and neighbouring bins are added: no value ever has to be
spread over two bins, so two halves merged are the whole, exactly, in any order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qflow.quantization.observer import Observer, State, extremes
from qflow.quantization.observers import _counting

if TYPE_CHECKING:
    from torch import Tensor

LOWEST = -100
"""Smallest exponent of the top: smaller values would need factors beyond float32."""


@dataclass(frozen=True, eq=False)
class Counts(State):
    """Bin i of the right half counts i * width <= x < (i + 1) * width; the left half mirrors it."""

    counts: Tensor
    """int64 [C, 2 * bins], without exact zeros: they have no rounding error and no width."""
    zeros: Tensor
    """int64 [C]."""
    exponent: Tensor
    """int64 [C]: all magnitudes lie below 2 ** exponent."""
    largest: Tensor
    """float64 [C]: the largest magnitude itself."""

    @property
    def bins(self) -> int:
        """Per side."""
        return self.counts.shape[1] // 2

    @property
    def width(self) -> Tensor:
        """float64 [C]."""
        return 2.0 ** self.exponent.double() / self.bins


class Counting(Observer):
    """An observer whose state is one histogram over all batches; it says how to read a range."""

    bins: int

    def start(self, channels: int) -> Counts:
        return empty(channels, self.bins)

    def observe(self, state: Counts, x: Tensor) -> Counts:
        return with_values(state, x)

    def observe_at_once(self, state: Counts | None, x: Tensor) -> Counts | None:
        return None if state is None else with_values_at_once(state, x)

    def observe_within(self, state: Counts, x: Tensor, low: Tensor, high: Tensor) -> Counts:
        return with_values_within(state, x, low, high)

    def merge(self, a: Counts, b: Counts) -> Counts:
        return merged(a, b)


def check_bins(bins: int) -> None:
    """Halving must stay possible down to a single bin."""
    if bins < 2 or bins & (bins - 1):
        raise ValueError(f"it must be a power of two, at least 2, not {bins}")


def empty(channels: int, bins: int) -> Counts:
    import torch

    return Counts(
        counts=torch.zeros(channels, 2 * bins, dtype=torch.int64),
        zeros=torch.zeros(channels, dtype=torch.int64),
        exponent=torch.full((channels,), LOWEST),
        largest=torch.zeros(channels, dtype=torch.float64),
    )


def with_values(state: Counts, x: Tensor) -> Counts:
    """The histogram with a batch [C, N] added."""
    return with_values_within(state, x, *extremes(x))


def with_values_within(state: Counts, x: Tensor, low: Tensor, high: Tensor) -> Counts:
    """The same where the extremes of the batch are known, [C] each."""
    import torch

    if _counting.in_one(x, state.bins):
        return _with_one_channel(state, x, low.item(), high.item())
    largest = high.maximum(-low)
    # frexp: largest = m * 2^e with m < 1, so the largest value lies below its top
    exponent = torch.frexp(largest).exponent.long().clamp_min(LOWEST)
    # frexp of zero says 2^0, which would be a top that no value asked for
    exponent = exponent.where(largest > 0, LOWEST)
    top = exponent.maximum(state.exponent)
    counts, zeros = _counting.counted(x, top, state.bins, signed=bool((low < 0).any()))
    return merged(state, Counts(counts, zeros, top, largest.double()))


def _with_one_channel(state: Counts, x: Tensor, low: float, high: float) -> Counts:
    """The same of one channel on a CPU, in numbers: a tensor of one number takes far longer."""
    import torch

    largest = max(high, -low)
    exponent = max(math.frexp(largest)[1], LOWEST) if largest > 0 else LOWEST
    before = int(state.exponent)
    top = max(exponent, before)
    tops = state.exponent if top == before else torch.tensor([top])
    counts = state.counts if top == before else grown(state.counts, state.exponent, tops)
    signs = {"signed": low < 0, "touches": low <= 0 <= high}
    found, zeros = _counting.counted_in_one(x, top, state.bins, **signs)
    counts = counts + torch.from_numpy(found)
    return Counts(counts, state.zeros + zeros, tops, state.largest.clamp_min(largest))


def with_values_at_once(state: Counts, x: Tensor) -> Counts | None:
    """The same in one pass that looks for nothing before: of one channel on a CPU whose values lie
    below the top there is. None otherwise."""
    if not _counting.in_one_pass(x, state.bins) or not state.largest.item():
        return None
    from qflow.loops.counts import counts

    found = counts(x, math.ldexp(1.0, int(state.exponent)), state.counts)
    if found is None:
        return None
    zeros = state.zeros + found.zeros if found.zeros else state.zeros
    highest = state.largest
    if found.largest > highest.item():
        highest = highest.clamp_min(found.largest)
    return replace(state, counts=found.counts, zeros=zeros, largest=highest)


def merged(a: Counts, b: Counts) -> Counts:
    exponent = a.exponent.maximum(b.exponent)
    return Counts(
        counts=grown(a.counts, a.exponent, exponent) + grown(b.counts, b.exponent, exponent),
        zeros=a.zeros + b.zeros,
        exponent=exponent,
        largest=a.largest.maximum(b.largest),
    )


def magnitudes(state: Counts) -> Tensor:
    """int64 [C, bins]: values in each bin whatever their sign, exact zeros left out."""
    return state.counts[:, state.bins :] + state.counts[:, : state.bins].flip(1)


def grown(values: Tensor, old: Tensor, exponent: Tensor) -> Tensor:
    """What bins [C, 2 * bins] hold under a larger top: bin i becomes bin i // 2 ** steps, mirrored
    on the left."""
    import torch

    steps = exponent - old
    if not steps.any():
        return values
    bins = values.shape[1] // 2
    before = torch.arange(-bins, bins, device=exponent.device)
    # an arithmetic shift rounds down: -1 - i goes where i goes, mirrored. Above 63 it is undefined
    after = (before >> steps.clamp_max(62)[:, None]) + bins
    return torch.zeros_like(values).scatter_add_(1, after, values)

"""mse: the symmetric range whose quantization error is smallest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import Observer
from qflow.quantization.observers import _histogram
from qflow.quantization.observers._histogram import Histogram

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid

STEPS = 100
"""Candidates: so many equal parts of the largest magnitude."""
_AT_ONCE = 1 << 20
"""Numbers held per batch of candidates."""


@dataclass(frozen=True)
class Mse(Observer):
    """Tries percent steps of the largest magnitude and keeps the one of lowest squared error.

    The field quantizes and dequantizes each batch for each candidate and averages the winners. Here
    all batches go into one histogram, and the error of a candidate is the integral of its squared
    error over each bin, values taken as even within a bin: one pass, and the order does not matter.
    """

    stride: int = 1
    """Try every so many percent steps, from 100 down."""
    bins: int = 2048
    """Bins from zero to the top, a power of two."""

    def __post_init__(self) -> None:
        if not 1 <= self.stride <= 20:
            raise ValueError(f"it must lie in 1..20, not {self.stride}")
        _histogram.check_bins(self.bins)

    def start(self, channels: int) -> Histogram:
        return _histogram.empty(channels, self.bins)

    def observe(self, state: Histogram, x: Tensor) -> Histogram:
        return _histogram.with_values(state, x)

    def merge(self, a: Histogram, b: Histogram) -> Histogram:
        return _histogram.merged(a, b)

    def range(self, state: Histogram, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        import torch

        percents = torch.arange(STEPS, 0, -self.stride, device=state.largest.device).double()
        candidates = percents[:, None] / STEPS * state.largest
        at_once = max(1, _AT_ONCE // state.counts.numel())
        errors = torch.cat(list(_errors(state, candidates.split(at_once), grid)))
        # the first of equal ones is the widest
        best = errors.argmin(dim=0, keepdim=True)
        high = candidates.gather(0, best)[0]
        return -high, high


def _errors(
    state: Histogram, candidates: tuple[Tensor, ...], grid: ObserverGrid
) -> Iterator[Tensor]:
    """Squared error [K, C] of each group of candidates [K, C], up to a common factor."""
    import torch

    bins = state.bins
    edges = torch.arange(bins + 1, device=state.width.device) * state.width[:, None]
    right, left = state.counts[:, bins:].double(), state.counts[:, :bins].flip(1).double()
    for group in candidates:
        # a channel of zeros has no error at any scale; 1 keeps it from dividing by zero
        scale = (group / grid.divisor).where(group > 0, torch.ones_like(group))[..., None]
        on_right = (_integral(edges, scale, grid.qmax).diff(dim=-1) * right).sum(-1)
        on_left = (_integral(edges, scale, -grid.qmin).diff(dim=-1) * left).sum(-1)
        yield (on_right + on_left) / state.width


def _integral(edges: Tensor, scale: Tensor, limit: int) -> Tensor:
    """Squared error of quantizing, integrated from 0 to each edge, in closed form.

    The error runs from -scale/2 to scale/2 around each integer k, so every step below adds
    scale^3 / 12, and the rest r = x - k * scale adds r^3 / 3: behind the last integer as well,
    where the rest is what gets clipped.
    """
    steps = (edges / scale).round_().clamp_(max=limit)
    rest = edges - steps * scale
    return steps * (scale**3 / 12) + rest**3 / 3

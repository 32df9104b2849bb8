"""min_max: from the lowest to the highest value ever seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import Observer, State, extremes

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid


@dataclass(frozen=True, eq=False)
class Extremes(State):
    low: Tensor
    """float64 [C]; infinite before any data."""
    high: Tensor
    """float64 [C]; minus infinite before any data."""


@dataclass(frozen=True)
class MinMax(Observer):
    """No settings. Sensitive to a single outlier, exact for everything else."""

    def start(self, channels: int) -> Extremes:
        import torch

        infinite = torch.full((channels,), torch.inf, dtype=torch.float64)
        return Extremes(infinite, -infinite)

    def observe(self, state: Extremes, x: Tensor) -> Extremes:
        return self.observe_within(state, x, *extremes(x))

    def observe_within(self, state: Extremes, x: Tensor, low: Tensor, high: Tensor) -> Extremes:
        one = low.is_cpu and low.numel() == 1
        if one and low.item() >= state.low.item() and high.item() <= state.high.item():
            return state  # most batches hold nothing new, and four small tensors take far longer
        return self.merge(state, Extremes(low.double(), high.double()))

    def merge(self, a: Extremes, b: Extremes) -> Extremes:
        return Extremes(a.low.minimum(b.low), a.high.maximum(b.high))

    def range(self, state: Extremes, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        return state.low, state.high

    def resume(self, low: Tensor, high: Tensor) -> Extremes:
        return Extremes(low.double(), high.double())

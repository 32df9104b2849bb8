"""moving_average: lowest and highest value of each batch, averaged over the batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import Observer, State, extremes

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid


@dataclass(frozen=True, eq=False)
class Average(State):
    low: Tensor
    """float64 [C], as `high`: the averages so far."""
    high: Tensor
    first_low: Tensor
    """float64 [C], as `first_high`: the first batch, which `merge` has to weaken."""
    first_high: Tensor
    batches: Tensor
    """int64, a single number."""


@dataclass(frozen=True)
class MovingAverage(Observer):
    """m += averaging_constant * (x - m) per batch; the first batch is taken as it is."""

    order_free = False

    averaging_constant: float = 0.01
    """Weight of a new batch. 0 keeps the range of the first batch, 1 that of the last."""

    def __post_init__(self) -> None:
        if not 0 <= self.averaging_constant <= 1:
            raise ValueError(f"it must lie in 0..1, not {self.averaging_constant}")

    def start(self, channels: int) -> Average:
        import torch

        zeros = torch.zeros(channels, dtype=torch.float64)
        return Average(zeros, zeros, zeros, zeros, torch.tensor(0))

    def observe(self, state: Average, x: Tensor) -> Average:
        return self.observe_within(state, x, *extremes(x))

    def observe_within(self, state: Average, x: Tensor, low: Tensor, high: Tensor) -> Average:
        low, high = low.double(), high.double()
        if not state.batches:
            return self._one(low, high)
        return Average(
            state.low + self.averaging_constant * (low - state.low),
            state.high + self.averaging_constant * (high - state.high),
            state.first_low,
            state.first_high,
            state.batches + 1,
        )

    def merge(self, a: Average, b: Average) -> Average:
        """`b` was computed as if nothing came before it: its first batch entered with full weight.

        With n batches in b the old value keeps the weight (1 - c)^n, and the first batch loses it.
        """
        if not a.batches:
            return b
        kept = (1 - self.averaging_constant) ** b.batches.double()
        return Average(
            (b.low - kept * b.first_low) + kept * a.low,
            (b.high - kept * b.first_high) + kept * a.high,
            a.first_low,
            a.first_high,
            a.batches + b.batches,
        )

    def range(self, state: Average, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        return state.low, state.high

    def resume(self, low: Tensor, high: Tensor) -> Average:
        return self._one(low.double(), high.double())

    def _one(self, low: Tensor, high: Tensor) -> Average:
        import torch

        return Average(low, high, low, high, torch.tensor(1, device=low.device))

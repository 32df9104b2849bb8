"""min_max: from the lowest to the highest value ever seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow import loops
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
        return self.merge(state, Extremes(low.double(), high.double()))

    def observe_at_once(self, state: Extremes | None, x: Tensor) -> Extremes | None:
        import torch

        if not x.is_cpu or not x.numel():
            return None
        if x.shape[0] == 1:
            low, high = x.aminmax()
            return _of_one(state, low.item(), high.item())
        if not loops.is_there() or x.dtype != torch.float32 or not x.is_contiguous():
            return None
        from qflow.loops.extremes import extremes as in_one_pass

        found = in_one_pass(x)
        if found is None:
            return None
        return Extremes(*found) if state is None else self.merge(state, Extremes(*found))

    def merge(self, a: Extremes, b: Extremes) -> Extremes:
        return Extremes(a.low.minimum(b.low), a.high.maximum(b.high))

    def range(self, state: Extremes, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        return state.low, state.high

    def resume(self, low: Tensor, high: Tensor) -> Extremes:
        return Extremes(low.double(), high.double())


def _of_one(state: Extremes | None, low: float, high: float) -> Extremes | None:
    """The state of a whole tensor on a CPU; None where an extreme is not finite."""
    import torch

    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    if state is not None:
        before = state.low.item(), state.high.item()
        if before[0] <= low and high <= before[1]:
            return state  # most batches hold nothing new, and small tensors take long to make
        low, high = min(low, before[0]), max(high, before[1])
    return Extremes(*(torch.tensor([v], dtype=torch.float64) for v in (low, high)))

"""abs_max: a symmetric range up to the largest magnitude ever seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import Observer, State, extremes

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid


@dataclass(frozen=True, eq=False)
class Largest(State):
    largest: Tensor
    """float64 [C]; zero before any data."""


@dataclass(frozen=True)
class AbsMax(Observer):
    """No settings. On a symmetric grid its scale is that of `min_max`; its range is symmetric."""

    def start(self, channels: int) -> Largest:
        import torch

        return Largest(torch.zeros(channels, dtype=torch.float64))

    def observe(self, state: Largest, x: Tensor) -> Largest:
        return self.observe_within(state, x, *extremes(x))

    def observe_within(self, state: Largest, x: Tensor, low: Tensor, high: Tensor) -> Largest:
        return Largest(state.largest.maximum(high.maximum(-low).double()))

    def merge(self, a: Largest, b: Largest) -> Largest:
        return Largest(a.largest.maximum(b.largest))

    def range(self, state: Largest, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        return -state.largest, state.largest

    def resume(self, low: Tensor, high: Tensor) -> Largest:
        return Largest(high.double().maximum(-low.double()))

"""fixed: a given scale that no data changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import Observer, State

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid


@dataclass(frozen=True, eq=False)
class Nothing(State):
    channels: Tensor
    """int64, a single number."""


@dataclass(frozen=True)
class Fixed(Observer):
    """The scale is known beforehand: a camera's 1/128, a range agreed with another part."""

    scale: float
    """Real value of one step."""

    def __post_init__(self) -> None:
        if not 0 < self.scale < float("inf"):
            raise ValueError(f"a scale must be finite and above 0, not {self.scale}")

    def start(self, channels: int) -> Nothing:
        import torch

        return Nothing(torch.tensor(channels))

    def observe(self, state: Nothing, x: Tensor) -> Nothing:
        return state

    def merge(self, a: Nothing, b: Nothing) -> Nothing:
        return a

    def range(self, state: Nothing, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        """The range whose scale under the march's divisor is the given one."""
        import torch

        high = torch.full((int(state.channels),), self.scale * grid.divisor, dtype=torch.float64)
        return -high, high

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
    """The scale is known beforehand: a camera's 1/128, a range agreed with another part.

    Give one of `scale` and `threshold`.
    """

    scale: float | None = None
    """Real value of one step."""
    threshold: float | None = None
    """Largest magnitude; its step is threshold / 128 for int8, or what the march divides by."""
    unsigned: bool = False
    """No value is below 0: a target that has unsigned grids takes one."""

    def __post_init__(self) -> None:
        if (self.scale is None) == (self.threshold is None):
            raise ValueError("it must have a scale or a threshold, and not both")
        for name, value in (("scale", self.scale), ("threshold", self.threshold)):
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"a {name} must be finite and above 0, not {value}")

    def step(self, divisor: float) -> float:
        """The scale; `divisor` is what the march divides a threshold by."""
        return self.scale if self.scale is not None else (self.threshold or 0.0) / divisor

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

        step = self.step(-grid.qmin)
        high = torch.full((int(state.channels),), step * grid.divisor, dtype=torch.float64)
        return -high, high

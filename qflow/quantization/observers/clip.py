"""clip: the range of the data, but never beyond given limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import Observer
from qflow.quantization.observers.min_max import Extremes, MinMax

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid


@dataclass(frozen=True)
class Clip(Observer):
    """Lowest and highest value ever seen, each brought into xmin..xmax.

    The toolchain names it and does not document it; to give the range itself, whatever the data,
    use `fixed` with a threshold.
    """

    xmin: float = -1.0
    """Lowest end of the range."""
    xmax: float = 1.0
    """Highest end of the range."""

    def __post_init__(self) -> None:
        if not float("-inf") < self.xmin < self.xmax < float("inf"):
            raise ValueError(f"it must be a range, xmin below xmax, not {self.xmin}..{self.xmax}")

    def start(self, channels: int) -> Extremes:
        return MinMax().start(channels)

    def observe(self, state: Extremes, x: Tensor) -> Extremes:
        return MinMax().observe(state, x)

    def observe_within(self, state: Extremes, x: Tensor, low: Tensor, high: Tensor) -> Extremes:
        return MinMax().observe_within(state, x, low, high)

    def merge(self, a: Extremes, b: Extremes) -> Extremes:
        return MinMax().merge(a, b)

    def range(self, state: Extremes, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        return state.low.clamp(self.xmin, self.xmax), state.high.clamp(self.xmin, self.xmax)

    def resume(self, low: Tensor, high: Tensor) -> Extremes:
        return MinMax().resume(low, high)

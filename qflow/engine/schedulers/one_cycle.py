"""one_cycle: the learning rate rises to `lr` and falls to almost nothing, both along cosines."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class OneCycle:
    """Smith and Topin, Super-Convergence (2018); `lr` is the peak."""

    rise: float = 0.3
    """The share of the training in which it rises."""
    start: float = 0.04
    """The share of `lr` it begins with."""
    end: float = 4e-6
    """The share of `lr` it ends with."""

    def __post_init__(self) -> None:
        for name in ("rise", "start", "end"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be between 0 and 1")

    def __call__(self, at: float, epochs: int) -> float:
        done = at / epochs
        if done < self.rise:
            return _between(self.start, 1.0, done / self.rise)
        return _between(1.0, self.end, (done - self.rise) / (1 - self.rise))


def _between(first: float, last: float, done: float) -> float:
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * done))

"""cosine: the learning rate falls along half a cosine, from the first step to the last."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Cosine:
    """Loshchilov and Hutter, SGDR (2017), equation 5, without restarts."""

    floor: float = 0.0
    """The share of the learning rate that is left at the end."""
    warm_up: float = 0.0
    """Epochs in which it first rises from 0."""

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= 1:
            raise ValueError("`floor` must be from 0 to 1")
        if self.warm_up < 0:
            raise ValueError("`warm_up` must be 0 or more")

    def __call__(self, at: float, epochs: int) -> float:
        if at < self.warm_up:
            return at / self.warm_up
        left = epochs - self.warm_up
        done = (at - self.warm_up) / left if left > 0 else 1.0
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * done))

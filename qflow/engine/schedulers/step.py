"""step: the learning rate is multiplied after every so many epochs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    every: int = 1
    """Epochs from one change to the next."""
    factor: float = 0.1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError("`every` must be 1 or more")
        if not 0 < self.factor <= 1:
            raise ValueError("`factor` must be above 0 and at most 1")

    def __call__(self, at: float, epochs: int) -> float:
        return float(self.factor ** (int(at) // self.every))

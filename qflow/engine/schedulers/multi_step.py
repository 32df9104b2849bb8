"""multi_step: the learning rate is multiplied after each of the epochs named."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MultiStep:
    """The field's recipe for quantization-aware training: two changes by 0.1."""

    milestones: tuple[int, ...]
    """Epochs after which it changes; 1 is after the first."""
    factor: float = 0.1

    def __post_init__(self) -> None:
        if not self.milestones or any(m < 1 for m in self.milestones):
            raise ValueError("`milestones` must be one or more epochs, each 1 or more")
        if not 0 < self.factor <= 1:
            raise ValueError("`factor` must be above 0 and at most 1")

    def __call__(self, at: float, epochs: int) -> float:
        return float(self.factor ** sum(m <= at for m in self.milestones))

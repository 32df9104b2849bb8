"""reconstruction_settings: what weight reconstruction can be told; without torch."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Reconstruction:
    """Names and defaults of the field; batch times steps should come to 10,000 or more."""

    num_batches: int = 10
    num_steps: int = 100
    """Steps per layer."""
    exclude_prefix: Sequence[str] = ()
    """Addresses that begin like this are left as they are."""
    warm_up: float = 0.2
    """The share of the steps in which only the layer's output counts."""
    weight: float = 0.01
    """Of the term that drives every variable to 0 or 1."""
    b_range: tuple[float, float] = (20.0, 2.0)
    """Its exponent at the beginning and at the end: large ones leave the middle free."""
    lr: float = 0.05
    """Learning rate of Adam for the variables."""

    def __post_init__(self) -> None:
        for name in ("num_batches", "num_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be 1 or more")
        if not 0 <= self.warm_up < 1:
            raise ValueError("`warm_up` must be from 0 to below 1")
        if self.weight < 0:
            raise ValueError("`weight` must be 0 or more")
        if len(self.b_range) != 2 or min(self.b_range) <= 0:
            raise ValueError("`b_range` must be two numbers above 0")
        if self.lr <= 0:
            raise ValueError("`lr` must be above 0")

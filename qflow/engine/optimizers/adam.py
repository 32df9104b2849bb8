"""adam: Adam; weight decay is part of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


@dataclass(frozen=True)
class Adam:
    """Kingma and Ba (2015)."""

    decoupled: ClassVar[bool] = False
    """Whether weight decay stands apart from the gradient."""

    lr: float
    """Learning rate."""
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be from 0 to below 1")
        if self.epsilon <= 0:
            raise ValueError("`epsilon` must be above 0")

    def make(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """One implementation on every machine: not the fused one."""
        from torch import optim

        kind = optim.AdamW if self.decoupled else optim.Adam
        return kind(
            parameters,
            lr=self.lr,
            betas=(self.beta1, self.beta2),
            eps=self.epsilon,
            weight_decay=self.weight_decay,
            foreach=False,
        )

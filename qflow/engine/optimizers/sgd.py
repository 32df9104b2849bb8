"""sgd: stochastic gradient descent, with momentum where asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


@dataclass(frozen=True)
class Sgd:
    lr: float
    """Learning rate."""
    momentum: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False
    """Look ahead by the momentum."""

    def __post_init__(self) -> None:
        if self.nesterov and self.momentum <= 0:
            raise ValueError("`nesterov` must be left out without `momentum`")

    def make(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """One implementation on every machine: not the fused one."""
        from torch.optim import SGD

        return SGD(
            parameters,
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.nesterov,
            foreach=False,
        )

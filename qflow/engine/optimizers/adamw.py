"""adamw: Adam with weight decay apart from the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.engine.optimizers.adam import Adam

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


@dataclass(frozen=True)
class Adamw(Adam):
    """Loshchilov and Hutter (2019)."""

    def make(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """One implementation on every machine: not the fused one."""
        from torch.optim import AdamW

        betas = (self.beta1, self.beta2)
        return AdamW(
            parameters,
            lr=self.lr,
            betas=betas,
            eps=self.epsilon,
            weight_decay=self.weight_decay,
            foreach=False,
        )

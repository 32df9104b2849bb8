"""adam: Adam; weight decay is decoupled from the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


@dataclass(frozen=True)
class Adam:
    lr: float
    """Learning rate."""
    weight_decay: float = 0.0

    def make(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """AdamW: with `weight_decay` 0 the same as Adam."""
        from torch.optim import AdamW

        return AdamW(parameters, lr=self.lr, weight_decay=self.weight_decay, foreach=False)

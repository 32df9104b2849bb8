"""P26: the reciprocal of anything, and of what was clamped."""

import torch
from torch import Tensor, nn

from tests.lint.pitfalls.by import Findings, Net, model, prepared


class Inverse(Net):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.head = nn.Conv2d(3, 4, 1)

    def body(self, x: Tensor) -> Tensor:
        return self.head(torch.reciprocal(self.conv(x)))


class Clamped(Inverse):
    def body(self, x: Tensor) -> Tensor:
        return self.head(torch.reciprocal(torch.clamp(self.conv(x), min=0.25, max=4.0)))


def wrong() -> Findings:
    return model(prepared(Inverse()))


def right() -> Findings:
    return model(prepared(Clamped()))

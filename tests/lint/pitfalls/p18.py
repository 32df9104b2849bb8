"""P18: an output that two read, and one of its own."""

from typing import Any

from torch import Tensor, nn

from tests.lint.pitfalls.by import Findings, Net, model, prepared


class Split(Net):
    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(3, 4, 1)
        self.right = nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Any:
        left = self.left(self.quant(x))
        return self.dequant(self.right(left)), self.dequant(left)


class Tail(Split):
    def forward(self, x: Tensor) -> Any:
        return self.dequant(self.right(self.left(self.quant(x))))


def wrong() -> Findings:
    return model(prepared(Split()))


def right() -> Findings:
    return model(prepared(Tail()))

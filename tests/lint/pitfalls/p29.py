"""P29: a pooling before the stub, and behind it."""

from torch import Tensor, nn

from tests.lint.pitfalls.by import Findings, Net, model, prepared


class Before(Net):
    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.head(self.quant(self.pool(x))))


class Behind(Before):
    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.head(self.pool(self.quant(x))))


def wrong() -> Findings:
    return model(prepared(Before()))


def right() -> Findings:
    return model(prepared(Behind()))

"""P9: a stub behind a stub, and one stub."""

from torch import Tensor, nn

from qflow.quantization import QuantStub
from tests.lint.pitfalls.by import Findings, Net, model, prepared


class Double(Net):
    def __init__(self) -> None:
        super().__init__()
        self.again = QuantStub()
        self.conv = nn.Conv2d(3, 3, 1)
        self.head = nn.Conv2d(3, 4, 1)

    def body(self, x: Tensor) -> Tensor:
        return self.head(self.again(self.conv(x)))


class Single(Double):
    def body(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x))


def wrong() -> Findings:
    return model(prepared(Double()))


def right() -> Findings:
    return model(prepared(Single()))

"""P8: a second input without a stub, and with one."""

from torch import Tensor, nn

from qflow.quantization import DeQuantStub, QuantStub
from tests.lint.pitfalls.by import Findings, image, model, prepared


class Half(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.quant_other = QuantStub()
        self.conv = nn.Conv2d(3, 3, 1)
        self.head = nn.Conv2d(3, 4, 1)
        self.dequant = DeQuantStub()

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        y = self.conv(self.quant(x))
        return self.dequant(self.head(y + other))


class Whole(Half):
    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        y = self.conv(self.quant(x))
        return self.dequant(self.head(y + self.quant_other(other)))


def wrong() -> Findings:
    inputs = (image(), image(1))
    return model(prepared(Half(), *inputs), *inputs)


def right() -> Findings:
    inputs = (image(), image(1))
    return model(prepared(Whole(), *inputs), *inputs)

"""P1: permute before and behind the dequantize."""

from torch import Tensor, nn

from tests.lint.pitfalls.by import Findings, Net, model, prepared


class Before(Net):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 4, 1)

    def body(self, x: Tensor) -> Tensor:
        return self.head(x).permute(0, 2, 3, 1)


class Behind(Before):
    def body(self, x: Tensor) -> Tensor:
        return self.head(x)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).permute(0, 2, 3, 1)


def wrong() -> Findings:
    return model(prepared(Before()))


def right() -> Findings:
    return model(prepared(Behind()))

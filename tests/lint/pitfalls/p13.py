"""P13: a convolution called twice keeps its batch norm, one called once absorbs it."""

from torch import Tensor, nn

from qflow.diagnostics import Diagnostic
from tests.compile.models import inventory
from tests.lint.pitfalls.by import Findings, Net, model, prepared


class Alone(Net):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.bn = nn.BatchNorm2d(3)
        self.head = nn.Conv2d(3, 4, 1)

    def body(self, x: Tensor) -> Tensor:
        return self.head(self.bn(self.conv(x)))


def wrong() -> Findings:
    return left_over()


def left_over() -> tuple[Diagnostic, ...]:
    raise NotImplementedError(inventory)


def right() -> Findings:
    return model(prepared(Alone()))

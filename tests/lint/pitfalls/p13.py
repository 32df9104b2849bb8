"""P13: an eager list that leaves the batch norm out, and one that names it."""

from torch import Tensor, nn

from qflow.quantization import fuse_modules, prepare
from tests.lint.pitfalls.by import QCONFIG, Findings, Net, image, model, prepared


class Alone(Net):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.bn = nn.BatchNorm2d(3)
        self.relu = nn.ReLU()
        self.head = nn.Conv2d(3, 4, 1)

    def body(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.bn(self.conv(x))))


def wrong() -> Findings:
    return model(_eager([]), image())


def right() -> Findings:
    return (*model(_eager(["conv", "bn", "relu"]), image()), *model(prepared(Alone())))


def _eager(group: list[str]) -> nn.Module:
    net = Alone().eval()
    fused = fuse_modules(net, [group]) if group else net
    return prepare(fused, None, QCONFIG, method="eager", march="nash-m")

"""P6: one convolution for two tensors, and one each."""

from torch import Tensor, nn

from tests.lint.pitfalls.by import Findings, Net, model, prepared, script

WRONG = """
    class Block(nn.Module):
        def __init__(self):
            self.add = FloatFunctional()
        def forward(self, x, y, z):
            return self.add.add(self.add.add(x, y), z)
"""
RIGHT = """
    class Block(nn.Module):
        def __init__(self):
            self.first = FloatFunctional()
            self.second = FloatFunctional()
        def forward(self, x, y, z):
            return self.second.add(self.first.add(x, y), z)
"""


class Twice(Net):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.again = nn.Conv2d(3, 3, 1)
        self.head = nn.Conv2d(3, 4, 1)

    def body(self, x: Tensor) -> Tensor:
        return self.head(self.conv(self.conv(x)))


class Once(Twice):
    def body(self, x: Tensor) -> Tensor:
        return self.head(self.again(self.conv(x)))


def wrong() -> Findings:
    assert {d.code for d in script(WRONG)} == {"QF706"}
    return model(prepared(Twice()))


def right() -> Findings:
    return (*model(prepared(Once())), *script(RIGHT))

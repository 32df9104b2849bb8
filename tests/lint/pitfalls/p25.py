"""P25: pixels and a normalized tensor in one add, and two normalized ones."""

import torch
from torch import Tensor, nn

from tests.lint.pitfalls.by import Findings, Net, model, prepared, script, validated

WRONG = """
    class Attention(nn.Module):
        def forward(self, scores, mask):
            return scores.masked_fill(mask, float("-inf"))
"""
RIGHT = """
    class Attention(nn.Module):
        def forward(self, scores, mask):
            return scores.masked_fill(mask, -100.0)
"""


class Joined(Net):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.left = nn.Conv2d(3, 3, 1)
        self.right = nn.Conv2d(3, 3, 1)
        self.relu = nn.ReLU()
        self.again = nn.ReLU()
        self.head = nn.Conv2d(3, 4, 1)
        with torch.no_grad():
            self.right.weight.mul_(factor)

    def body(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.left(x)) + self.again(self.right(x)))


def wrong() -> Findings:
    assert {d.code for d in script(WRONG)} == {"QF725"}
    return model(validated(prepared(Joined(10_000))))


def right() -> Findings:
    return (*model(validated(prepared(Joined(2)))), *script(RIGHT))

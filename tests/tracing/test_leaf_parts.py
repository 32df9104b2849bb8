"""Leaves that a type and an address name together, or that leave some out."""

import pytest
import torch
from torch import Tensor, nn

from qflow.plan.plan import GraphSpec, Leaf
from tests.tracing.test_trace import traced


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.neck = nn.Sequential(Block(), Block())
        self.head = Block()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.neck(x))


@pytest.mark.parametrize(
    ("leaf", "kept"),
    [
        (Leaf((("Block", "neck.**"),)), {"neck.0", "neck.1"}),
        (Leaf((("Block", "**"),), (("", "neck.1"),)), {"neck.0", "head"}),
        (Leaf((("", "neck.*"),), (("Block", "neck.0"),)), {"neck.1"}),
        (Leaf((("Block", "neck.0"), ("", "head"))), {"neck.0", "head"}),
        (Leaf((("Other", "neck.**"),)), set()),
        (Leaf((("tests.tracing.test_leaf_parts.Block", "head"),)), {"head"}),
    ],
)
def test_what_is_kept_whole(leaf: Leaf, kept: set[str]) -> None:
    found = traced(Net(), GraphSpec(leaf_parts=(leaf,)), x=torch.zeros(1, 2)).inventory
    assert {m.address for m in found.modules if m.op == "unknown"} == kept

"""lookalikes: modules that would be fused if they were torch's own."""

import torch
from torch import Tensor, nn

from qflow.tracing.lookalikes import lookalikes
from qflow.tracing.traced import trace_call


class MyBN(nn.BatchNorm2d):
    pass


class FrozenBatchNorm2d(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class MyConv(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)


def test_by_class_and_by_name() -> None:
    net = nn.Sequential(
        nn.Conv2d(1, 2, 1), MyBN(2), MyConv(2, 2, 1), FrozenBatchNorm2d(2), nn.BatchNorm2d(2)
    ).eval()
    found = lookalikes(trace_call(net, (torch.zeros(1, 1, 3, 3),)).inventory, net)
    words = {address.partition(".")[0]: known.word for address, known in found.items()}
    assert words == {"1": "bn", "2": "conv", "3": "bn"}
    whys = " ".join(known.why for known in found.values())
    assert "`MyBN` is a subclass of `BatchNorm2d`" in whys
    assert "`FrozenBatchNorm2d` is no batch norm of torch.nn" in whys

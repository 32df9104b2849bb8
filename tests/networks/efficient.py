"""efficient: as EfficientNet is: SiLU, gated channels, blocks that training drops at random."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tests.networks import _seeded


def stochastic_depth(x: Tensor, drop: float, training: bool) -> Tensor:
    """Whole samples become zero in training; in evaluation it does nothing."""
    if not training or drop == 0.0:
        return x
    keep = torch.empty(x.shape[0], 1, 1, 1, device=x.device).bernoulli_(1 - drop)
    return x * keep / (1 - drop)


class StochasticDepth(nn.Module):
    def __init__(self, drop: float) -> None:
        super().__init__()
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        return stochastic_depth(x, self.drop, self.training)


class SqueezeExcitation(nn.Module):
    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.expand = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = x.mean((2, 3), keepdim=True)
        gate = nn.functional.silu(self.reduce(gate))
        return x * self.expand(gate).sigmoid()


class MBConv(nn.Module):
    def __init__(self, inner: int, outer: int, ratio: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = inner * ratio
        layers: list[nn.Module] = []
        if ratio != 1:
            layers.append(self.conv(inner, wide, 1))
        layers.append(self.conv(wide, wide, kernel, stride, groups=wide))
        layers.append(SqueezeExcitation(wide, 4))
        layers += [nn.Conv2d(wide, outer, 1, bias=False), nn.BatchNorm2d(outer)]
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(0.2)
        self.use_res_connect = stride == 1 and inner == outer

    @staticmethod
    def conv(inner: int, outer: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
        padding = (kernel - 1) // 2
        return nn.Sequential(
            nn.Conv2d(inner, outer, kernel, stride, padding, groups=groups, bias=False),
            nn.BatchNorm2d(outer),
            nn.SiLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        result = self.block(x)
        if self.use_res_connect:
            result = self.stochastic_depth(result)
            result += x
        return result


class EfficientNet(nn.Module):
    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            MBConv.conv(3, 8, 3, 2),
            MBConv(8, 8, 1, 3, 1),
            MBConv(8, 12, 3, 5, 2),
            MBConv(12, 12, 2, 3, 1),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2, inplace=True), nn.Linear(12, classes))

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        return self.classifier(torch.flatten(x, 1))


def network() -> nn.Module:
    return _seeded.seeded(EfficientNet)


def stubbed() -> nn.Module:
    return _seeded.stubbed(network())


def example() -> tuple[Tensor, ...]:
    return (_seeded.image(2, 3, 32, 32),)

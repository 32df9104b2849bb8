"""inception: as GoogLeNet is: branches of several window sizes, joined over the channels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.networks import _seeded


class BasicConv2d(nn.Module):
    def __init__(self, inner: int, outer: int, **kwargs: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inner, outer, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(outer, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)), inplace=True)


class Inception(nn.Module):
    def __init__(self, inner: int) -> None:
        super().__init__()
        self.branch1 = BasicConv2d(inner, 4, kernel_size=1)
        self.branch2 = nn.Sequential(
            BasicConv2d(inner, 4, kernel_size=1), BasicConv2d(4, 6, kernel_size=3, padding=1)
        )
        self.branch3 = nn.Sequential(
            BasicConv2d(inner, 2, kernel_size=1), BasicConv2d(2, 4, kernel_size=3, padding=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=True),
            BasicConv2d(inner, 2, kernel_size=1),
        )

    def _forward(self, x: Tensor) -> list[Tensor]:
        return [self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)]

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(self._forward(x), 1)


class GoogLeNet(nn.Module):
    def __init__(self, classes: int = 10, transform_input: bool = True) -> None:
        super().__init__()
        self.transform_input = transform_input
        self.conv1 = BasicConv2d(3, 8, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = Inception(8)
        self.inception3b = Inception(16)
        self.aux = nn.Linear(16, classes)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(p=0.2)
        self.fc = nn.Linear(16, classes)

    def _transform_input(self, x: Tensor) -> Tensor:
        """From the statistics of one data set to those of another, channel by channel."""
        if not self.transform_input:
            return x
        red = torch.unsqueeze(x[:, 0], 1) * (0.229 / 0.5) + (0.485 - 0.5) / 0.5
        green = torch.unsqueeze(x[:, 1], 1) * (0.224 / 0.5) + (0.456 - 0.5) / 0.5
        blue = torch.unsqueeze(x[:, 2], 1) * (0.225 / 0.5) + (0.406 - 0.5) / 0.5
        return torch.cat((red, green, blue), 1)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = self.maxpool1(self.conv1(self._transform_input(x)))
        x = self.inception3a(x)
        aux = None
        if self.training:
            aux = self.aux(x.mean((2, 3)))
        x = self.inception3b(x)
        x = torch.flatten(self.avgpool(x), 1)
        x = self.fc(self.dropout(x))
        return x if aux is None else (x, aux)


def network() -> nn.Module:
    return _seeded.seeded(GoogLeNet)


def example() -> tuple[Tensor, ...]:
    return (_seeded.image(2, 3, 32, 32),)

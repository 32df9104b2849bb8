"""regnet: as RegNet is: grouped convolutions in stages, gated channels, projections on the skip."""

from __future__ import annotations

from torch import Tensor, nn

from tests.networks import _seeded


class ConvNormActivation(nn.Sequential):
    def __init__(
        self,
        inner: int,
        outer: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(inner, outer, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outer),
        ]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if act else []))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.activation = nn.ReLU()
        self.scale_activation = nn.Sigmoid()

    def _scale(self, x: Tensor) -> Tensor:
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x)))))

    def forward(self, x: Tensor) -> Tensor:
        return self._scale(x) * x


class ResBottleneckBlock(nn.Module):
    def __init__(self, inner: int, outer: int, stride: int, group_width: int) -> None:
        super().__init__()
        self.proj = None
        if inner != outer or stride != 1:
            self.proj = ConvNormActivation(inner, outer, 1, stride, act=False)
        self.f = nn.Sequential(
            ConvNormActivation(inner, outer, 1),
            ConvNormActivation(outer, outer, 3, stride, groups=outer // group_width),
            SqueezeExcitation(outer, 4),
            ConvNormActivation(outer, outer, 1, act=False),
        )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x) + self.f(x) if self.proj is not None else x + self.f(x)
        return self.activation(x)


class RegNet(nn.Module):
    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.stem = ConvNormActivation(3, 8, 3, 2)
        self.trunk_output = nn.Sequential(
            ResBottleneckBlock(8, 16, 2, 4), ResBottleneckBlock(16, 16, 1, 4)
        )
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(16, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.trunk_output(self.stem(x)))
        return self.fc(x.flatten(start_dim=1))


def network() -> nn.Module:
    return _seeded.seeded(RegNet)


def stubbed() -> nn.Module:
    return _seeded.stubbed(network())


def example() -> tuple[Tensor, ...]:
    return (_seeded.image(2, 3, 32, 32),)

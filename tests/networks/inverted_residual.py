"""inverted_residual: as MobileNet v2 and v3 are: wide inside, gated channels, hard-swish."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from tests.networks import _seeded


class HardSigmoid(nn.Module):
    """Written out, as many repositories do."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + 3) / 6


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int, squeezed: int, gate: nn.Module) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        scale = functional.adaptive_avg_pool2d(x, 1)
        scale = self.fc2(functional.relu(self.fc1(scale), inplace=True))
        return x * self.gate(scale)


class InvertedResidual(nn.Module):
    def __init__(
        self, inner: int, wide: int, outer: int, stride: int, gate: nn.Module | None, act: type
    ) -> None:
        super().__init__()
        self.use_res_connect = stride == 1 and inner == outer
        layers: list[nn.Module] = []
        if wide != inner:
            layers += [nn.Conv2d(inner, wide, 1, bias=False), nn.BatchNorm2d(wide), act()]
        layers += [
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            act(),
        ]
        if gate is not None:
            layers.append(SqueezeExcite(wide, 4, gate))
        layers += [nn.Conv2d(wide, outer, 1, bias=False), nn.BatchNorm2d(outer)]
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        if self.use_res_connect:
            return x + self.block(x)
        return self.block(x)


class MobileNet(nn.Module):
    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Sequential(
                nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(inplace=True)
            ),
            InvertedResidual(8, 8, 8, 1, HardSigmoid(), nn.ReLU),
            InvertedResidual(8, 16, 12, 2, None, nn.ReLU6),
            InvertedResidual(12, 24, 12, 1, nn.Hardsigmoid(), nn.Hardswish),
            nn.Sequential(nn.Conv2d(12, 24, 1, bias=False), nn.BatchNorm2d(24), nn.Hardswish()),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(24, 32), nn.Hardswish(inplace=True), nn.Dropout(0.2), nn.Linear(32, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        return self.classifier(x.view(x.size(0), -1))


def network() -> nn.Module:
    return _seeded.seeded(MobileNet)


def stubbed() -> nn.Module:
    return _seeded.stubbed(network())


def example() -> tuple[Tensor, ...]:
    return (_seeded.image(2, 3, 32, 32),)

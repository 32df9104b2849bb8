"""detector: as one-stage detectors are: a neck that adds from the top, heads, boxes decoded after.

`network()` has no stubs; `stubbed()` has them, and its decoding lies behind the dequant stubs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.quantization import DeQuantStub, QuantStub
from tests.networks import _seeded

STRIDES = (4, 8)
"""Pixels of the image per cell, per level."""


def conv_bn_leaky(inner: int, outer: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outer),
        nn.LeakyReLU(0.1, inplace=True),
    )


class Backbone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_bn_leaky(3, 8, 3, 2), conv_bn_leaky(8, 8, 3, 2))
        self.stage = conv_bn_leaky(8, 16, 3, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.stem(x)
        return fine, self.stage(fine)


class Neck(nn.Module):
    """A feature pyramid of two levels."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.lateral = nn.ModuleList([nn.Conv2d(8, width, 1), nn.Conv2d(16, width, 1)])
        self.smooth = nn.ModuleList([nn.Conv2d(width, width, 3, padding=1) for _ in range(2)])

    def forward(self, features: tuple[Tensor, Tensor]) -> list[Tensor]:
        fine, coarse = (lateral(x) for lateral, x in zip(self.lateral, features, strict=True))
        fine = fine + functional.interpolate(coarse, size=fine.shape[-2:], mode="nearest")
        return [smooth(x) for smooth, x in zip(self.smooth, (fine, coarse), strict=True)]


class Head(nn.Module):
    """Shared by all levels, so each of its layers runs twice."""

    def __init__(self, width: int = 8, classes: int = 3) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU())
        self.scores = nn.Conv2d(width, classes, 1)
        self.boxes = nn.Conv2d(width, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.tower(x)
        return self.scores(x), self.boxes(x)


class Detector(nn.Module):
    def __init__(self, stubs: bool = False) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.neck = Neck()
        self.head = Head()
        self.quant = QuantStub() if stubs else nn.Identity()
        outputs = (DeQuantStub() if stubs else nn.Identity() for _ in range(2 * len(STRIDES)))
        self.dequant = nn.ModuleList(outputs)

    def decode(self, boxes: Tensor, stride: int) -> Tensor:
        """Distances to the four sides, in cells, to corners in pixels."""
        rows, columns = boxes.shape[-2:]
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        centers = (torch.stack([x, y]) + 0.5) * stride
        sides = functional.relu(boxes) * stride
        return torch.cat([centers - sides[:, :2], centers + sides[:, 2:]], dim=1)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        levels = self.neck(self.backbone(self.quant(image)))
        scores, boxes = [], []
        for i, (level, stride) in enumerate(zip(levels, STRIDES, strict=True)):
            score, box = self.head(level)
            score, box = self.dequant[2 * i](score), self.dequant[2 * i + 1](box)
            scores.append(score.sigmoid().flatten(2))
            boxes.append(self.decode(box, stride).flatten(2))
        return {"scores": torch.cat(scores, dim=2), "boxes": torch.cat(boxes, dim=2)}


def network() -> nn.Module:
    return _seeded.seeded(Detector)


def stubbed() -> nn.Module:
    return _seeded.seeded(lambda: Detector(stubs=True))


def example() -> tuple[Tensor, ...]:
    return (_seeded.image(2, 3, 32, 32),)

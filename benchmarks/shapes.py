"""shapes: three public networks in their published shapes, with weights drawn from a seed.

ResNet-18 (He et al. 2015), MobileNet-v2 (Sandler et al. 2018), and the tiny vision transformer of
Touvron et al. 2021 (width 192, 12 blocks of 3 heads, patches of 16); images of 224x224. Speed
depends on shapes, not on what a network has learned; batch norms know the statistics of a batch,
so that no activation dies out or runs away on its way through the layers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.networks import Network
from qflow.quantization import DeQuantStub, QuantStub

SIZE = 224
CLASSES = 1000


def resnet18() -> Network:
    return _network("ResNet-18", Resnet18)


def mobilenet_v2() -> Network:
    return _network("MobileNet-v2", MobilenetV2)


def vit_tiny() -> Network:
    return _network("ViT-tiny", VitTiny)


def conv_bn(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    padding = kernel // 2
    return [
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels),
    ]


class BasicBlock(nn.Module):
    """[N, in, H, W] to [N, out, H / stride, W / stride]."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(in_channels, out_channels, 3, stride)
        self.conv2, self.bn2 = conv_bn(out_channels, out_channels, 3)
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        same_shape = stride == 1 and in_channels == out_channels
        self.downsample = (
            None if same_shape else nn.Sequential(*conv_bn(in_channels, out_channels, 1, stride))
        )

    def forward(self, x: Tensor) -> Tensor:
        straight = x if self.downsample is None else self.downsample(x)
        x = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(x)) + straight)


class Resnet18(nn.Module):
    """Images float32 [N, 3, 224, 224] to logits float32 [N, 1000]."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.conv1, self.bn1 = conv_bn(3, 64, 7, 2)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        widths = ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2))
        self.layers = nn.Sequential(
            *(nn.Sequential(BasicBlock(i, o, s), BasicBlock(o, o, 1)) for i, o, s in widths)
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(512, CLASSES)
        self.dequant = DeQuantStub()

    def forward(self, image: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(self.quant(image)))))
        return self.dequant(self.fc(self.flatten(self.avgpool(self.layers(x)))))


class InvertedResidual(nn.Module):
    """[N, in, H, W] to [N, out, H / stride, W / stride] by way of `expand` times the channels."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expand: int) -> None:
        super().__init__()
        hidden = in_channels * expand
        wider = [] if expand == 1 else [*conv_bn(in_channels, hidden, 1), nn.ReLU6()]
        self.conv = nn.Sequential(
            *wider,
            *conv_bn(hidden, hidden, 3, stride, groups=hidden),
            nn.ReLU6(),
            *conv_bn(hidden, out_channels, 1),
        )
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


class MobilenetV2(nn.Module):
    """Images float32 [N, 3, 224, 224] to logits float32 [N, 1000]."""

    STAGES = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    """Expansion, channels, blocks, stride of the first block."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        layers: list[nn.Module] = [*conv_bn(3, 32, 3, 2), nn.ReLU6()]
        width = 32
        for expand, channels, blocks, stride in self.STAGES:
            for i in range(blocks):
                layers.append(InvertedResidual(width, channels, stride if i == 0 else 1, expand))
                width = channels
        self.features = nn.Sequential(*layers, *conv_bn(width, 1280, 1), nn.ReLU6())
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(1280, CLASSES)
        self.dequant = DeQuantStub()

    def forward(self, image: Tensor) -> Tensor:
        x = self.flatten(self.avgpool(self.features(self.quant(image))))
        return self.dequant(self.classifier(x))


class Attention(nn.Module):
    """[N, length, width] to the same."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        x = functional.scaled_dot_product_attention(query, key, value)
        return self.proj(x.transpose(1, 2).reshape(batch, length, width))


class EncoderBlock(nn.Module):
    """[N, length, width] to the same."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.fc1 = nn.Linear(width, 4 * width)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.fc2(self.act(self.fc1(self.norm2(x))))


class VitTiny(nn.Module):
    """Images float32 [N, 3, 224, 224] to logits float32 [N, 1000]."""

    def __init__(self, width: int = 192, heads: int = 3, blocks: int = 12, patch: int = 16) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.flatten = nn.Flatten(2)
        self.token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.position = nn.Parameter(torch.randn(1, (SIZE // patch) ** 2 + 1, width) * 0.02)
        self.blocks = nn.Sequential(*(EncoderBlock(width, heads) for _ in range(blocks)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, CLASSES)
        self.dequant = DeQuantStub()

    def forward(self, image: Tensor) -> Tensor:
        x = self.flatten(self.patches(self.quant(image))).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.position
        return self.dequant(self.head(self.norm(self.blocks(x))[:, 0]))


def _network(name: str, network: Callable[[], nn.Module]) -> Network:
    def build() -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = network()
            _settle(model)
        return model.eval()

    return Network(name, build, _images)


def _images(count: int) -> Tensor:
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def _settle(model: nn.Module) -> None:
    """Weights that keep the size of what passes, and batch norms that have seen a batch."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
    if not norms:
        return
    for norm in norms:
        norm.momentum = 1.0
    model.train()(torch.randn(2, 3, SIZE, SIZE))
    for norm in norms:
        norm.momentum = 0.1

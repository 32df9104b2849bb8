"""Model: a residual network for 8x8 digits, with its quantization stubs."""

from __future__ import annotations

from torch import Tensor, nn

from qflow.quantization import DeQuantStub, QuantStub


class ConvBnRelu(nn.Module):
    """Convolution, batch norm and relu; [N, in, H, W] to [N, out, H / stride, W / stride]."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.bn(self.conv(x)))


class Shortcut(nn.Module):
    """A 1x1 convolution that brings the input of a block to the shape of its output."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut; [N, in, H, W] to [N, out, H / stride, W / stride]."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.first = ConvBnRelu(in_channels, out_channels, stride)
        self.conv = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU()
        same_shape = stride == 1 and in_channels == out_channels
        self.shortcut = None if same_shape else Shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        straight = x if self.shortcut is None else self.shortcut(x)
        return self.relu(self.bn(self.conv(self.first(x))) + straight)


class DigitsNet(nn.Module):
    """Images float32 [N, 1, 8, 8] in [-1, 1] to logits float32 [N, 10]."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.stem = ConvBnRelu(1, width)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.block1 = ResidualBlock(width, width)
        self.block2 = ResidualBlock(width, 2 * width, stride=2)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(2 * width, 10)
        self.dequant = DeQuantStub()

    def forward(self, image: Tensor) -> Tensor:
        x = self.stem(self.quant(image))
        x = self.block2(self.block1(self.pool(x)))
        return self.dequant(self.head(self.flatten(self.average(x))))


def digits_net(width: int = 24) -> DigitsNet:
    """The network of `digits.qf`; `width` is the number of channels behind the stem."""
    return DigitsNet(width)

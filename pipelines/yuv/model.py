"""Model: three convolutions that name a colour, with quantization stubs. It is trained on RGB."""

from __future__ import annotations

from torch import Tensor, nn

from qflow.quantization import DeQuantStub, QuantStub


class ColourNet(nn.Module):
    """Images float32 [N, 3, 16, 16], (rgb - mean) / std, to logits float32 [N, 6]."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.stem = _layer(3, width, 1)
        self.body = _layer(width, 2 * width, 2)
        self.top = _layer(2 * width, 2 * width, 2)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(2 * width, 6)
        self.dequant = DeQuantStub()

    def forward(self, image: Tensor) -> Tensor:
        x = self.top(self.body(self.stem(self.quant(image))))
        return self.dequant(self.head(self.flatten(self.average(x))))


def _layer(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def colour_net() -> ColourNet:
    """The network of `yuv_camera.qf`."""
    return ColourNet()

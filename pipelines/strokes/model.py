"""Model: a few convolutions that keep the size of the image; the last one is the tail."""

from __future__ import annotations

from torch import Tensor, nn

from qflow.quantization import DeQuantStub, QuantStub


class StrokesNet(nn.Module):
    """Images float32 [N, 1, H, W] to two scores per pixel: [N, 2, H, W], or [N, H, W, 2]."""

    def __init__(self, width: int, nhwc: bool) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.stem = nn.Conv2d(1, width, 3, padding=1)
        self.wide = nn.Conv2d(width, width, 3, padding=2, dilation=2)
        self.near = nn.Conv2d(width, width, 3, padding=1)
        # one module per call: a module that runs twice has one scale for both
        self.relu1, self.relu2, self.relu3, self.relu4 = (nn.ReLU() for _ in range(4))
        self.scores = nn.Conv2d(width, 2, 1)
        self.dequant = DeQuantStub()
        self.nhwc = nhwc

    def forward(self, image: Tensor) -> Tensor:
        x = self.relu1(self.stem(self.quant(image)))
        x = self.relu4(self.relu3(self.near(self.relu2(self.wide(x)))) + x)
        scores = self.dequant(self.scores(x))
        # behind the dequantize: before it, the accumulator of `scores` would have to go to int8
        return scores.permute(0, 2, 3, 1) if self.nhwc else scores


def strokes_net(width: int = 16, nhwc: bool = False) -> StrokesNet:
    """The network of `strokes_nchw.qf` and, with `nhwc`, of `strokes_nhwc.qf`."""
    return StrokesNet(width, nhwc)

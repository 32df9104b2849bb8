"""Models that use `wrap` in its four forms and dynamic blocks; at file level, as users write them."""

import numpy as np
import torch
from torch import Tensor, nn

from qflow.quantization import DeQuantStub, QuantStub
from qflow.tracing import dynamic_block, wrap

wrap("len")
wrap("halved")


def halved(x: Tensor) -> Tensor:
    return x / 2 if x.sum() > 0 else x * 0.5


@wrap
def clipped(x: Tensor, limit: float) -> Tensor:
    return x.clamp(max=limit) if x.max() > limit else x


@wrap()
def through_numpy(x: Tensor) -> Tensor:
    return torch.from_numpy(np.tanh(x.detach().numpy()))


class Functions(nn.Module):
    """Three functions that look at values."""

    def forward(self, x: Tensor) -> Tensor:
        x = clipped(x, limit=0.5) + halved(x) + through_numpy(x)
        return x.reshape(len(x), -1)


class PostProcess(nn.Module):
    """A detection head's end: in training it returns the raw maps, otherwise decoded boxes."""

    def __init__(self, threshold: float = 0.0) -> None:
        super().__init__()
        self.threshold = threshold
        self.refine = nn.Conv2d(4, 4, 1)
        self.act = nn.ReLU()
        self.loss_head = nn.Linear(1, 1)
        self.register_buffer("offset", torch.full((1, 4, 1, 1), 0.5))
        self.calls = 0

    @wrap()
    def decode(self, boxes: Tensor, *, scale: float = 2.0) -> Tensor:
        self.calls += 1
        boxes = self.act(self.refine(boxes)) + self.offset
        if self.training:
            return self.loss_head(boxes.mean().reshape(1, 1))
        if boxes.max() > self.threshold:
            boxes = boxes * scale
        return boxes

    def forward(self, boxes: Tensor) -> Tensor:
        return self.decode(boxes + 1, scale=3.0)


class Detector(nn.Module):
    """A method of a child is wrapped, behind the dequantize it stands in."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.post = PostProcess()
        self.dequant = DeQuantStub()

    def forward(self, image: Tensor) -> Tensor:
        return self.dequant(self.post(self.conv(self.quant(image))))


class OwnMethod(nn.Module):
    """The wrapped method is one of the model itself, and the dequant stub is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.head = nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU())
        self.dequant = DeQuantStub()
        self.scale = nn.Parameter(torch.tensor(2.0))

    @wrap()
    def finish(self, x: Tensor) -> Tensor:
        x = self.dequant(self.head(x))
        return -x if self.training else x * self.scale

    def forward(self, image: Tensor) -> Tensor:
        return self.finish(self.conv(self.quant(image)))


@wrap()
class Whole(nn.Module):
    """A wrapped class: a leaf, and so are its methods."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)

    def prepare(self, x: Tensor) -> Tensor:
        return self.conv(x) if x.sum() > 0 else x

    def forward(self, x: Tensor) -> Tensor:
        return self.prepare(x) + 1 if x.mean() > 0 else self.conv(x)


class UsesWhole(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.whole = Whole()

    def forward(self, image: Tensor) -> Tensor:
        return self.whole(image) + self.whole.prepare(image)


class Refines(nn.Module):
    """A loop that runs as often as it is told, its operators in a dynamic block."""

    def __init__(self, times: int, named: bool = True) -> None:
        super().__init__()
        self.times = times
        self.named = named
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        self.relu = nn.ReLU()

    def block(self):
        return dynamic_block(self, "refine") if self.named else dynamic_block()

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv(image)
        for _ in range(self.times):
            with self.block():
                y = torch.relu(x) + image
                x = self.conv(y) + (y * 2 + y)
        return self.relu(x) + image

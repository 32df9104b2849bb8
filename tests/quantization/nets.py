"""Small models of setter tests: a tail, a sum, a residual, a sampling grid."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.quantization import DeQuantStub, FakeQuantize, QuantStub
from qflow.quantization.facts import facts_of


class Stubs(nn.Module):
    """Has both stubs."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()


class Tail(Stubs):
    """conv - relu - conv - dequantize."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.last = nn.Conv2d(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.last(self.relu(self.first(self.quant(x)))))


class Sum(Stubs):
    """The sum of two inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.other = QuantStub()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.dequant(self.quant(x) + self.other(y))


class Residual(Stubs):
    """Two convolutions, the second with a residual; a third at the tail."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(3, 3, 1) for _ in range(3))
        self.bn = nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(self.quant(x))
        return self.dequant(self.c(functional.relu(self.bn(self.b(x)) + x)))


class Sampled(Stubs):
    """A sampling grid from a convolution, through an add and a permute."""

    def __init__(self) -> None:
        super().__init__()
        self.features, self.offsets, self.tail = (nn.Conv2d(3, n, 1) for n in (3, 2, 2))
        self.base = QuantStub()

    def forward(self, x: Tensor, base: Tensor) -> Tensor:
        x = self.quant(x)
        grid = (self.offsets(x) + self.base(base)).permute(0, 2, 3, 1)
        y = functional.grid_sample(self.features(x), grid, align_corners=False)
        return self.dequant(self.tail(y))


def image(batch: int = 2, channels: int = 3) -> Tensor:
    return torch.randn(batch, channels, 6, 8, generator=torch.Generator().manual_seed(0))


def dtypes(model: nn.Module) -> dict[str, str]:
    """Per address the dtype of its output grid."""
    return {p.address: str(p.act.dtype.value) for p in facts_of(model).plans if p.act is not None}


def outs(model: nn.Module) -> dict[str, str]:
    """Per address the dtype of its output."""
    return {p.address: str(p.out.value) for p in facts_of(model).plans if p.out is not None}


def quantizers(model: nn.Module) -> dict[str, FakeQuantize]:
    return {p: m for p, m in model.named_modules() if isinstance(m, FakeQuantize)}


def codes(model: nn.Module) -> list[str]:
    return [n.code for n in facts_of(model).notes]


def changes(model: nn.Module) -> list[tuple[str, str, str, str]]:
    return [(c.address, c.field, c.asked, c.given) for c in facts_of(model).changes]

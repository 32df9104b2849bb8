"""Small prepared networks for the sensitivity tests: branches, a scale group, a shared module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qflow.dtype import qint8
from qflow.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from qflow.quantization.field_observers import FixedScaleObserver, MinMaxObserver
from qflow.quantization.qconfig import QConfig
from qflow.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_calibration_qconfig_setter,
)


class Branches(nn.Module):
    """Two convolutions beside each other, joined by a cat (one grid) and an add; two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.left = nn.Conv2d(4, 4, 1)
        self.right = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Conv2d(8, 2, 1)
        self.tail = nn.Conv2d(4, 3, 1)
        self.dequant = DeQuantStub()
        self.dequant2 = DeQuantStub()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(self.quant(x))
        left, right = self.left(x), self.relu(self.right(x))
        both = self.pool(torch.cat([left, right], dim=1))
        # the second reader of `left` and `right` keeps them apart from the fusions
        return self.dequant(self.head(both)), self.dequant2(self.tail(left + right))


class Twice(nn.Module):
    """One linear that runs twice: one address, one scale."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.mix = nn.Linear(6, 6)
        self.out = nn.Linear(6, 4)
        self.dequant = DeQuantStub()

    def forward(self, x: Tensor) -> Tensor:
        x = self.quant(x)
        return self.dequant(self.out(self.mix(self.mix(x) + x)))


def batches(shape: tuple[int, ...], count: int = 2, seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for _ in range(count)]


def calibrated(model: nn.Module, data: list[Tensor], qconfig=None):
    """Prepared, with a scale for every tensor."""
    torch.manual_seed(3)
    outputs = ("first", "second") if isinstance(model, Branches) else ("output",)
    prepared = prepare(
        model.eval(), (data[0],), qconfig, march="nash-m", output_names=outputs, out_dir=None
    )
    set_fake_quantize(prepared, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        for x in data:
            prepared(x)
    return prepared.eval()


class Sum(nn.Module):
    """Two stubs and an add."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.dequant = QuantStub(), QuantStub(), DeQuantStub()

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.first(x) + self.second(3.0 - x))


def calibrated_with_input_grids(data: list[Tensor]):
    """A model whose add brings both operands to a grid of their own."""
    wide = FakeQuantize.with_args(observer=FixedScaleObserver, dtype=qint8, scale=0.05)
    own = QConfig(output=FakeQuantize.with_args(observer=MinMaxObserver, dtype=qint8), input=wide)
    setters = (
        ModuleNameQconfigSetter({"_generated_add_0": own}),
        default_calibration_qconfig_setter,
    )
    return calibrated(Sum(), data, setters)

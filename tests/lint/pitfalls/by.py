"""How the two cases of a pitfall are looked at: as a model, as a script, as a file."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import torch
from torch import Tensor, nn

from qflow import lint
from qflow.compile import compile
from qflow.diagnostics import Diagnostic
from qflow.lang.parse import parse
from qflow.lang.program import program_of
from qflow.lint._script import read
from qflow.plan.inventory import Inventory
from qflow.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    QConfig,
    QuantStub,
    check_model,
    prepare,
    set_fake_quantize,
)
from qflow.quantization.observers.min_max import MinMax

Findings = tuple[Diagnostic, ...]

QCONFIG = QConfig(
    output=FakeQuantize.with_args(observer=MinMax()),
    weight=FakeQuantize.with_args(observer=MinMax()),
)


class Net(nn.Module):
    """Stubs and what `body` does in between."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.dequant = DeQuantStub()

    def forward(self, x: Tensor) -> Any:
        return self.dequant(self.body(self.quant(x)))

    def body(self, x: Tensor) -> Tensor:
        raise NotImplementedError


def image(seed: int = 0) -> Tensor:
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))


def prepared(net: nn.Module, *args: Tensor) -> nn.Module:
    """With min-max observers, which are those of training as well."""
    return prepare(net.eval(), args or (image(),), QCONFIG, march="nash-m", out_dir=None)


def calibrated(model: nn.Module, *args: Tensor) -> nn.Module:
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        model(*(args or (image(),)))
    return model


def validated(model: nn.Module, *args: Tensor) -> nn.Module:
    calibrated(model, *args)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


def model(model: nn.Module, *args: Tensor, **settings: Any) -> Findings:
    return check_model(model, args or None, **settings).diagnostics


def script(text: str) -> Findings:
    return tuple(lint.run_script(read("script.py", dedent(text))))


def file(text: str, inventory: Inventory) -> Findings:
    parsed = parse(dedent(text), "x.qf")
    assert parsed.file is not None, parsed.diagnostics
    done = compile(program_of(parsed.file), inventory, {})
    return (*done.diagnostics, *lint.run(done.unit))


def checkpoint(path: Path, state: dict[str, Tensor]) -> Path:
    torch.save(state, path)
    return path

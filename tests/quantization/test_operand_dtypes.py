"""Operands of which a march takes some dtypes at some places only: matmul and grid_sample on nash."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.dtype import qint8, qint16
from qflow.export import export
from qflow.quantization import DeQuantStub, FakeQuantState, QuantStub, prepare, set_fake_quantize
from qflow.quantization.facts import facts_of
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.qconfig import MinMaxObserver, QConfig, get_qconfig
from qflow.quantization.qconfig_setter import ConvDtypeTemplate, QconfigSetter


class Two(nn.Module):
    """One function of two inputs."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.a, self.b, self.dequant = QuantStub(), QuantStub(), DeQuantStub()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x, y = self.a(x), self.b(y)
        if self.kind == "matmul":
            return self.dequant(x @ y)
        return self.dequant(functional.grid_sample(x, y, align_corners=False))


def prepared(kind: str, shapes: tuple[tuple[int, ...], ...], march: str, **dtypes: object):
    config = {
        name: get_qconfig(MinMaxObserver, in_dtype=None, out_dtype=dtype)
        for name, dtype in dtypes.items()
    }
    model = Two(kind)
    for name, chosen in config.items():
        getattr(model, name).qconfig = chosen
    rest = get_qconfig(MinMaxObserver, in_dtype=None, out_dtype=qint16)
    inputs = tuple(torch.rand(s) for s in shapes)
    module = prepare(model, inputs, rest, "symbolic", march=march, out_dir=None)
    facts = facts_of(module)
    assert facts is not None
    return {p.address: p for p in facts.plans}, facts.changes


SQUARES = ((2, 3, 3), (2, 3, 3))


def test_only_one_operand_of_a_matmul_stays_int16_on_nash() -> None:
    plans, changes = prepared("matmul", SQUARES, "nash-m", a=qint16, b=qint16)
    inputs = plans["_generated_matmul_0"].inputs
    assert inputs[0] is None
    assert inputs[1] is not None
    assert inputs[1].dtype.value == "int8"
    assert [p.act.dtype.value for n, p in plans.items() if n in "ab" and p.act] == ["int16"] * 2
    assert any("matmul takes int8" in c.why for c in changes)


@pytest.mark.parametrize(
    ("march", "a", "b"),
    [("nash-m", qint8, qint16), ("nash-e", qint16, qint8), ("generic", qint16, qint16)],
)
def test_what_a_march_takes_stays(march: str, a: object, b: object) -> None:
    plans, _ = prepared("matmul", SQUARES, march, a=a, b=b)
    assert plans["_generated_matmul_0"].inputs == ()


def test_the_image_of_a_grid_sample_falls_back_and_its_places_do_not() -> None:
    shapes = ((1, 2, 4, 4), (1, 3, 3, 2))
    plans, _ = prepared("grid_sample", shapes, "nash-m", a=qint16, b=qint16)
    found = {n: p.act.dtype.value for n, p in plans.items() if p.act is not None}
    assert found == {"a": "int8", "b": "int16", "_generated_grid_sample_0": "int8"}


class Twice(nn.Module):
    """One convolution at two tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.conv(self.conv(self.quant(x))))


def test_a_module_that_runs_twice_has_one_grid_per_operand() -> None:
    wide = FakeQuantize.with_args(dtype=qint16)
    narrow = FakeQuantize.with_args(dtype=qint8)
    x = torch.randn(2, 3, 4, 4)
    setter = QConfig(wide, narrow, narrow)
    model = prepare(Twice(), x, setter, march="nash-m", out_dir=None)
    assert list(model.conv.activation_pre_process) == ["0"]
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    integer = export(model, x)
    assert [n.id for n in integer.nodes if n.op == "rescale"] == [
        "conv.operand0",
        "conv#1.operand0",
    ]
    assert torch.allclose(integer(x), model(x), atol=2e-2)


def test_dtypes_asked_of_an_operand_reach_every_tensor_that_comes_there() -> None:
    reference = QConfig(FakeQuantize.with_args(dtype=qint8), FakeQuantize.with_args(dtype=qint8))
    setter = QconfigSetter(reference, [ConvDtypeTemplate(input_dtype=qint16)])
    model = prepare(Twice(), torch.randn(2, 3, 4, 4), setter, march="nash-m", out_dir=None)
    facts = facts_of(model)
    assert facts is not None
    dtypes = {p.address: p.act.dtype.value for p in facts.plans if p.act is not None}
    assert dtypes == {"quant": "int16", "conv": "int16"}

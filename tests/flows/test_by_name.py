"""QConfigs by name: int16 weights beside an int8 layer norm, an add with given scales."""

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.dtype import qint8, qint16
from qflow.export import export
from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.qconfig import FixedScaleObserver, MSEObserver, QConfig, get_qconfig
from qflow.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_calibration_qconfig_setter,
)


class Head(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.linear = nn.Linear(16, 16)
        self.norm = nn.LayerNorm(16)
        self.out = nn.Linear(16, 4)
        self.dequant = DeQuantStub()

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.out(self.norm(self.linear(self.quant(x)))))


class Sum(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.quant2 = QuantStub()
        self.dequant = DeQuantStub()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.dequant(self.quant(x) + self.quant2(y))


def test_int16_weights_beside_an_int8_layer_norm() -> None:
    x = torch.randn(4, 16)
    setter = (
        ModuleNameQconfigSetter(
            {
                "linear": get_qconfig(
                    observer=MSEObserver, in_dtype=qint8, weight_dtype=qint16, out_dtype=qint8
                ),
                "norm": get_qconfig(observer=MSEObserver, out_dtype=qint8),
            }
        ),
        default_calibration_qconfig_setter,
    )
    model = prepare(Head(), (x,), setter)
    assert model.linear.weight_fake_quant.dtype == qint16
    assert model.linear.activation_post_process.dtype == qint8
    assert model.norm.activation_post_process.dtype == qint8
    assert model.out.weight_fake_quant.dtype == qint8
    # a layer norm has no weight that a device would hold on a grid of its own
    assert not hasattr(model.norm, "weight_fake_quant")


def fixed(scale: float) -> object:
    return FakeQuantize.with_args(observer=FixedScaleObserver, dtype=qint16, scale=scale)


def test_an_add_with_given_scales() -> None:
    x, y = torch.randn(2, 8), torch.randn(2, 8)
    named = ModuleNameQconfigSetter(
        {"_generated_add_0": QConfig(input=fixed(0.03125), output=fixed(0.0625))}
    )
    model = prepare(Sum(), (x, y), (named, default_calibration_qconfig_setter))
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x, y)
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    state = model.state_dict()
    assert state["_generated_add_0.activation_post_process.scale"].tolist() == [0.0625]
    pre = [v for k, v in state.items() if "_add_0.activation_pre_process" in k and "scale" in k]
    assert pre
    assert all(s.tolist() == [0.03125] for s in pre)

    def grid(v: Tensor, scale: float, bits: int = 16) -> Tensor:
        return (v / scale).round().clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) * scale

    first = grid(x, state["quant.activation_post_process.scale"].item(), 8)
    second = grid(y, state["quant2.activation_post_process.scale"].item(), 8)
    total = grid(first, 0.03125) + grid(second, 0.03125)
    assert torch.equal(model(x, y), grid(total, 0.0625))
    integer = export(model, (x, y))
    assert integer.outputs[0].scale.tolist() == [0.0625]
    # the emulator rounds half up where the fake-quantizer rounds half to even: one step at a tie
    assert (integer(x, y) - model(x, y)).abs().max() <= 0.0625


def test_a_name_that_is_not_there() -> None:
    setter = (
        ModuleNameQconfigSetter({"liner": get_qconfig(), "nrom": get_qconfig()}),
        default_calibration_qconfig_setter,
    )
    with pytest.raises(QflowError) as caught:
        prepare(Head(), (torch.randn(4, 16),), setter)
    text = str(caught.value)
    assert "liner" in text
    assert "nrom" in text
    assert "`linear`" in "".join(n for d in caught.value.diagnostics for n in (*d.notes, d.help))

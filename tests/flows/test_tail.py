"""A convolution at the tail: int32 output in NCHW and NHWC, and what a permute before costs."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import qflow
from qflow.dtype import qint8, qint16
from qflow.export import export
from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    PrepareMethod,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from qflow.quantization.qconfig_template import (
    calibration_8bit_weight_16bit_act_qconfig_setter,
    default_calibration_qconfig_setter,
)


class Net(nn.Module):
    def __init__(self, permute: str = "no") -> None:
        super().__init__()
        self.quant = QuantStub()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(8, 5, 1)
        self.dequant = DeQuantStub()
        self.permute = permute

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2(self.relu(self.conv1(self.quant(x))))
        if self.permute == "before":
            x = x.permute(0, 2, 3, 1)
        x = self.dequant(x)
        return x.permute(0, 2, 3, 1) if self.permute == "behind" else x


def calibrated(net: nn.Module, setter: object, x: Tensor) -> nn.Module:
    model = prepare(deepcopy(net), (x,), setter, method=PrepareMethod.JIT_STRIP)
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        model(x)
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


@pytest.fixture
def x() -> Tensor:
    torch.manual_seed(0)
    return torch.randn(2, 3, 6, 8)


def scales(model: nn.Module) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in model.state_dict().items() if k.endswith(".scale")}


def test_scales_are_one_until_data_came(x: Tensor) -> None:
    model = prepare(Net(), (x,), default_calibration_qconfig_setter)
    assert all(torch.all(s == 1) for s in scales(model).values())
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    assert all(torch.all(s == 1) for s in scales(model).values())
    model(x)
    after = scales(model)
    assert after
    assert not any(torch.any(s == 1) for s in after.values())
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    assert all(torch.equal(s, after[k]) for k, s in scales(model).items())


def test_state_dict_names_of_the_field(x: Tensor) -> None:
    names = set(calibrated(Net(), default_calibration_qconfig_setter, x).state_dict())
    assert {
        "conv1.weight",
        "conv1.activation_post_process.scale",
        "conv1.activation_post_process.zero_point",
        "conv1.activation_post_process.activation_post_process.min_val",
        "conv1.weight_fake_quant.scale",
        "conv1.weight_fake_quant.activation_post_process.max_val",
        "quant.activation_post_process.scale",
    } <= names
    assert not any(n.startswith("conv2.activation_post_process") for n in names)


def test_nchw(x: Tensor) -> None:
    model = calibrated(Net(), default_calibration_qconfig_setter, x)
    integer = export(model, (x,))
    (port,) = integer.outputs
    assert (port.dtype, port.axis, tuple(port.shape)) == ("int32", 1, (2, 5, 6, 8))
    assert port.scale.shape == (5,)
    state = model.state_dict()
    expected = (
        state["conv1.activation_post_process.scale"].double()
        * state["conv2.weight_fake_quant.scale"].double()
    )
    np.testing.assert_allclose(port.scale, expected.numpy(), rtol=1e-6)  # scales are float32


def test_nhwc(x: Tensor) -> None:
    setter = default_calibration_qconfig_setter
    plain, behind = Net(), Net("behind")
    behind.load_state_dict(plain.state_dict())
    first = export(calibrated(plain, setter, x), (x,))
    model = calibrated(behind, setter, x)
    integer = export(model, (x,))
    (port,) = integer.outputs
    assert (port.dtype, port.axis, tuple(port.shape)) == ("int32", 3, (2, 6, 8, 5))
    # the same integers in another order, and no transpose is left on the device between the two
    assert torch.equal(integer(x), first(x).permute(0, 2, 3, 1))


@pytest.mark.parametrize(
    ("setter", "dtype"),
    [
        (calibration_8bit_weight_16bit_act_qconfig_setter, "int16"),
        (default_calibration_qconfig_setter, "int8"),
    ],
)
def test_permute_before_the_dequantize(setter: object, dtype: str, x: Tensor) -> None:
    model = calibrated(Net("before"), setter, x)
    integer = export(model, (x,))
    (port,) = integer.outputs
    assert port.dtype == dtype
    assert "conv2.activation_post_process.scale" in model.state_dict()
    notes = qflow.quantization.check_model(model).diagnostics
    # P1 of the field's list: it names the convolution and the operator in the way
    found = [d for d in notes if d.code in ("QF701", "QF505")]
    assert found
    assert any("conv2" in d.message for d in found)


def test_integers_equal_the_other_implementation(x: Tensor, tmp_path) -> None:
    integer = export(calibrated(Net(), default_calibration_qconfig_setter, x), (x,))
    integer.save(tmp_path / "net.qflow")
    again = qflow.load(tmp_path / "net.qflow")
    assert torch.equal(again(x), integer(x))
    assert again.outputs[0].dtype == integer.outputs[0].dtype
    assert {qint8.name, qint16.name} == {"int8", "int16"}

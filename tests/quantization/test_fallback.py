"""What the march makes of dtypes that were asked for, and that every change is named."""

import copy
import io

import pytest
import torch
from torch import nn

from qflow.diagnostics import QflowError
from qflow.dtype import qint4, qint8, qint16
from qflow.quantization import (
    FakeQuantize,
    FakeQuantState,
    QConfig,
    QuantStub,
    prepare,
    set_fake_quantize,
    unobserved,
)
from qflow.quantization.changelog import changelog
from qflow.quantization.facts import Change, facts_of
from qflow.quantization.falling_back import fit
from qflow.quantization.qconfig import FixedScaleObserver
from qflow.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    calibration_8bit_weight_16bit_act_qconfig_setter,
    default_calibration_qconfig_setter,
)
from tests.quantization.nets import Residual, Stubs, Sum, Tail, changes, dtypes, image, quantizers


def act(dtype, **settings) -> QConfig:
    weight = FakeQuantize.with_args(dtype=qint8)
    return QConfig(FakeQuantize.with_args(dtype=dtype, **settings), weight)


def given(scale: float, dtype=qint8):
    return FakeQuantize.with_args(observer=FixedScaleObserver, dtype=dtype, scale=scale)


def by_name(net, names, *inputs, march=None):
    setter = (ModuleNameQconfigSetter(names), default_calibration_qconfig_setter)
    return prepare(net, inputs or (image(),), setter, march=march, out_dir=None)


@pytest.mark.parametrize(
    ("dtype", "allowed", "found"),
    [
        ("int16", ("int8", "int16"), "int16"),
        ("int16", ("int8",), "int8"),
        ("int4", ("int8", "int16"), "int8"),
        ("int16", ("int8", "int32"), "int8"),
        ("int8", ("float32",), "int8"),
        ("int8", (), "int8"),
    ],
)
def test_the_nearest_dtype_that_is_allowed(dtype, allowed, found) -> None:
    assert fit(dtype, allowed) == found


class Pooled(Stubs):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.drop = nn.Dropout()

    def forward(self, x):
        return self.dequant(nn.functional.max_pool2d(self.drop(self.conv(self.quant(x))), 2))


def test_a_whole_scale_group_is_lowered_and_named() -> None:
    model = by_name(Pooled(), {"conv": act(qint16)})
    assert set(dtypes(model).values()) == {"int8"}
    found = [c for c in facts_of(model).changes if c.address == "conv"]
    assert found == [
        Change("conv", "output.dtype", "int16", "int8", "nash-m: max_pool2d takes int8")
    ]


def test_another_march_does_not_lower() -> None:
    model = by_name(Pooled(), {"conv": act(qint16)}, march="generic")
    assert dtypes(model)["conv"] == "int16"
    assert ("conv", "output.dtype", "int16", "int8") not in changes(model)


def test_a_member_follows_the_owner_of_its_grid() -> None:
    model = by_name(Pooled(), {"drop": act(qint16)})
    assert ("drop", "output.dtype", "int16", "int8") in changes(model)
    assert "conv" in next(c.why for c in facts_of(model).changes if c.address == "drop")


def test_the_range_of_a_given_scale_is_kept_when_its_dtype_is_lowered() -> None:
    model = by_name(Pooled(), {"conv": QConfig(given(2.0**-12, qint16))})
    assert quantizers(model)["conv.activation_post_process"].fixed == 2.0**-4
    assert ("conv", "output.scale", str(2.0**-12), str(2.0**-4)) in changes(model)


def test_a_scale_given_to_a_member_is_given_to_the_group() -> None:
    model = by_name(Pooled(), {"drop": QConfig(given(0.25))})
    assert quantizers(model)["conv.activation_post_process"].fixed == 0.25
    assert ("conv", "output.scale", "observed", "0.25") in changes(model)
    with pytest.raises(QflowError, match="QF224") as caught:
        by_name(Pooled(), {"drop": QConfig(given(0.25)), "conv": QConfig(given(0.5))})
    assert "`drop`: 0.25" in caught.value.diagnostics[0].notes[0]


class Joined(Stubs):
    """Two cameras in one tensor."""

    def __init__(self, *scales: float | None) -> None:
        super().__init__()
        self.quant, self.other = (QuantStub(scale=s) for s in scales)

    def forward(self, x, y):
        return self.dequant(torch.cat([self.quant(x), self.other(y)], 1))


def test_stubs_with_scales() -> None:
    model = prepare(Joined(1 / 128, 1 / 128), (image(), image()), out_dir=None)
    assert quantizers(model)["_generated_cat_0.activation_post_process"].fixed == 1 / 128
    with pytest.raises(QflowError, match="QF224"):
        prepare(Joined(1 / 128, 1 / 64), (image(), image()), out_dir=None)
    alone = prepare(Joined(1 / 128, None), (image(), image()), out_dir=None)
    assert quantizers(alone)["_generated_cat_0.activation_post_process"].fixed == 1 / 128


def test_a_stub_keeps_its_scale_against_a_setter() -> None:
    net = Tail()
    net.quant = QuantStub(scale=1 / 128)
    model = by_name(net, {"quant": QConfig(given(0.5))})
    assert quantizers(model)["quant.activation_post_process"].fixed == 1 / 128
    assert ("quant", "output.scale", "0.5", str(1 / 128)) in changes(model)


def test_weights_take_what_the_operator_has() -> None:
    q = QConfig(FakeQuantize.with_args(dtype=qint8), FakeQuantize.with_args(dtype=qint4))
    model = by_name(Tail(), {"first": q})
    dtype = str(quantizers(model)["first.weight_fake_quant"].dtype)
    said = [c for c in changes(model) if c[0] == "first"]
    # nash-m has no int4 weights; whatever it gives is said
    assert (dtype == "int4") == (said == [])
    assert said in ([], [("first", "weight.dtype", "int4", dtype)])


# operands


def test_an_operand_wider_than_an_add_may_read() -> None:
    model = by_name(Sum(), {"other": act(qint16)}, image(), image())
    found = quantizers(model)
    assert str(found["_generated_add_0.activation_pre_process.1"].dtype) == "int8"
    assert "_generated_add_0.activation_pre_process.0" not in found
    assert ("_generated_add_0", "input.dtype", "int16", "int8") in changes(model)
    assert dtypes(model)["other"] == "int16"


def test_the_residual_of_a_fused_add_is_brought_to_what_the_march_fuses() -> None:
    model = by_name(Residual(), {"a": act(qint16)})
    # gemm input first, residual last
    grids = [p for p in quantizers(model) if "pre_process" in p]
    assert grids == ["_generated_add_0.activation_pre_process.1"]
    assert len(facts_of(model).fusions) == 1


def test_an_add_with_given_operand_scales_is_not_fused() -> None:
    q = QConfig(output=given(0.5), input=given(0.25))
    model = by_name(Residual(), {"_generated_add_0": q})
    assert [f.pattern for f in facts_of(model).fusions] == [("conv", "bn")]
    assert {p for p in quantizers(model) if "pre_process" in p} == {
        "_generated_add_0.activation_pre_process.0",
        "_generated_add_0.activation_pre_process.1",
    }
    why = [u.why for u in facts_of(model).unfused if "_generated_add_0" in u.members]
    assert why
    # the relu behind it is none of what was named
    assert quantizers(model)["_generated_relu_0.activation_post_process"].fixed is None


def test_an_observed_operand_no_finer_than_the_tensor_adds_nothing() -> None:
    q = QConfig(
        FakeQuantize.with_args(dtype=qint8),
        FakeQuantize.with_args(dtype=qint8),
        input=FakeQuantize.with_args(dtype=qint16),
    )
    model = by_name(Tail(), {"last": q})
    assert not [p for p in quantizers(model) if "pre_process" in p]
    assert ("last", "input.dtype", "int16", "int8") in changes(model)


def test_operand_grids_survive_copies_and_hand_gradients_on() -> None:
    q = QConfig(output=given(0.0625, qint16), input=given(0.03125, qint16))
    model = by_name(Sum(), {"_generated_add_0": q}, image(), image())
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(image(), image())
    assert unobserved(model) == ()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    wanted = model(image(), image())
    twin = copy.deepcopy(model)
    assert torch.equal(twin(image(), image()), wanted)
    assert facts_of(twin).plans == facts_of(model).plans
    # each operand passes its own grid
    twin._generated_add_0.activation_pre_process["1"].scale.mul_(64)
    assert not torch.equal(twin(image(), image()), wanted)
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    loaded = torch.load(buffer, weights_only=False)
    assert torch.equal(loaded(image(), image()), wanted)
    set_fake_quantize(model.train(), FakeQuantState.QAT)
    x = image().requires_grad_()
    model(x, image()).sum().backward()
    assert x.grad.abs().sum() > 0


def test_a_mask_gets_no_grid() -> None:
    class Masked(Stubs):
        def forward(self, x, mask):
            return self.dequant(self.quant(x).masked_fill(mask, 0.0))

    setter = QConfig(
        FakeQuantize.with_args(dtype=qint8),
        input=FakeQuantize.with_args(observer=FixedScaleObserver, scale=0.5),
    )
    mask = torch.zeros(2, 3, 6, 8, dtype=torch.bool)
    model = prepare(Masked(), (image(), mask), setter, out_dir=None)
    names = [p for p in quantizers(model) if "masked_fill" in p]
    assert not [p for p in names if p.endswith("pre_process.1")]
    assert "_generated_masked_fill_0.activation_post_process" in names
    assert model(image(), mask).shape == image().shape


class Product(Stubs):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        x = self.quant(x)
        y = torch.matmul(self.left(x), self.right(x).transpose(-1, -2))
        return self.dequant(torch.softmax(y, -1))


def test_a_matmul_takes_one_int16_operand_on_nash() -> None:
    setter = calibration_8bit_weight_16bit_act_qconfig_setter
    for march, grids in (
        ("nash-m", ["_generated_matmul_0.activation_pre_process.1"]),
        ("generic", []),
    ):
        model = prepare(Product(), torch.randn(2, 4, 8), setter, march=march, out_dir=None)
        found = {p: str(q.dtype) for p, q in quantizers(model).items() if "pre_process" in p}
        assert found == dict.fromkeys(grids, "int8")
        assert dtypes(model)["left"] == dtypes(model)["right"] == "int16"


# adds


@pytest.mark.parametrize("march", ["nash-m", "generic"])
def test_dtypes_are_decided_first_then_only_what_fits_is_fused(march) -> None:
    setter = calibration_8bit_weight_16bit_act_qconfig_setter
    model = prepare(Residual(), image(), setter, march=march, out_dir=None)
    patterns = [f.pattern for f in facts_of(model).fusions]
    if march == "generic":
        assert patterns == [("conv", "bn", "add", "relu")]
    else:
        # the residual stays int16: older tools would fuse and lower it to int8
        assert patterns == [("conv", "bn")]
        assert dtypes(model)["a"] == "int16"
        assert any("fuses an add at int8" in u.why for u in facts_of(model).unfused)


def test_the_text() -> None:
    assert changelog(()) == "Every tensor is quantized as asked.\n"
    text = changelog([Change("a.b", "output.dtype", "int16", "int8", "because")])
    assert text.splitlines()[2].split() == ["a.b", "output.dtype", "int16", "int8", "because"]

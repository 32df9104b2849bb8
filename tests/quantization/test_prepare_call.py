"""prepare: what it takes, what it refuses, what it writes, what it leaves alone."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from qflow.diagnostics import QflowError
from qflow.march import current
from qflow.quantization import (
    FakeQuantState,
    PrepareMethod,
    get_default_qat_qconfig,
    prepare,
    set_fake_quantize,
)
from qflow.quantization.facts import facts_of
from qflow.quantization.qconfig_template import (
    default_calibration_qconfig_setter,
    default_qat_qconfig_setter,
)
from tests.quantization.nets import Residual, Stubs, Sum, Tail, codes, dtypes, image, quantizers

SETTER = default_calibration_qconfig_setter


class Keyword(Stubs):
    """Takes and returns nested values."""

    def __init__(self) -> None:
        super().__init__()
        self.other = type(self.quant)()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, pair, *, scale, flag=True):
        x, y = pair
        x = self.conv(self.quant(x) + self.other(y["right"]))
        return {"out": self.dequant(x) * scale, "flag": flag}


def test_no_march_says_what_to_call(monkeypatch) -> None:
    monkeypatch.setattr(current, "_set", None)
    with pytest.raises(QflowError, match="QF251"):
        prepare(Tail(), image(), SETTER)
    assert (
        facts_of(prepare(Tail(), image(), SETTER, march="nash-e", out_dir=None)).march == "nash-e"
    )


@pytest.mark.parametrize("method", [PrepareMethod.JIT, PrepareMethod.JIT_STRIP, "symbolic"])
def test_examples_that_are_missing(method) -> None:
    with pytest.raises(QflowError, match=r"QF252: the method .* needs example inputs"):
        prepare(Tail(), qconfig_setter=SETTER, method=method)


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(QflowError, match="QF111: `jit_strip`") as caught:
        prepare(Tail(), image(), SETTER, method="jit_strip")
    assert "`jit-strip`" in caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize("method", ["symbolic", "jit", "jit-strip"])
def test_three_methods_decide_the_same(method) -> None:
    model = prepare(Residual(), image(), SETTER, method, out_dir=None)
    reference = prepare(Residual(), (image(),), SETTER, out_dir=None)
    assert facts_of(model).plans == facts_of(reference).plans
    assert list(model.state_dict()) == list(reference.state_dict())


def test_eager_is_the_model_itself_with_quantizers() -> None:
    net = Tail()
    net.qconfig = get_default_qat_qconfig()
    model = prepare(net, method=PrepareMethod.EAGER)
    assert type(model) is Tail
    assert "first.activation_post_process" in quantizers(model)
    assert not quantizers(net)


def test_examples_by_name_in_a_mapping() -> None:
    model = prepare(Sum(), {"y": image(), "x": image()}, SETTER, out_dir=None)
    assert torch.allclose(model(x=image(), y=-image()), torch.zeros(()))


def test_nested_arguments_and_results_stay_as_they_are() -> None:
    net = Keyword().eval()
    args, kwargs = ((image(), {"right": image()}),), {"scale": torch.tensor(2.0)}
    model = prepare(net, args, SETTER, example_kw_inputs=kwargs, out_dir=None)
    found = model(*args, **kwargs)
    wanted = net(*args, **kwargs)
    assert found["flag"] is True
    torch.testing.assert_close(found["out"], wanted["out"])
    # what runs behind the dequantize is no part of it
    assert set(dtypes(model)) == {"quant", "other", "_generated_add_0"}


def test_the_model_itself_is_left_alone() -> None:
    net = Residual().train()
    before = deepcopy(net.state_dict())
    model = prepare(net, image(), SETTER, out_dir=None)
    assert net.training
    assert not quantizers(net)
    assert isinstance(net.bn, nn.BatchNorm2d)
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert not model.training


def test_reports_are_written_and_can_be_left_out(tmp_path) -> None:
    prepare(Residual(), image(), SETTER, out_dir=None)
    assert not list(tmp_path.iterdir())
    prepare(Residual(), image(), SETTER)
    names = {"fx_graph.txt", "model_check_result.txt", "qconfig_changelogs.txt"}
    assert {p.name for p in tmp_path.iterdir()} == names
    assert all(p.read_text().strip() for p in tmp_path.iterdir())
    prepare(Residual(), image(), SETTER, out_dir=tmp_path / "deep")
    assert {p.name for p in (tmp_path / "deep").iterdir()} == names


def test_a_model_without_stubs_gets_them_and_that_is_said() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    model = prepare(net, image(), SETTER, out_dir=None)
    assert "QF225" in codes(model)
    assert "_generated_quant_0" in dtypes(model)


def test_a_missing_stub_leaves_what_it_feeds_float() -> None:
    class Missing(Sum):
        def forward(self, x, y):
            return self.dequant(self.quant(x) + y)

    model = prepare(Missing(), (image(), image()), SETTER, out_dir=None)
    assert set(dtypes(model)) == {"quant"}


def test_a_model_that_stays_float_says_so() -> None:
    net = Tail()
    net.qconfig = None
    (first, *_, last) = [n for n in facts_of(prepare(net, image(), out_dir=None)).notes]
    assert first.code == last.code == "QF253"
    assert "no setter gives anything a grid" in last.message

    class Unused(Tail):
        def forward(self, x):
            return self.dequant(self.first(x))

    model = prepare(Unused(), image(), SETTER, out_dir=None)
    assert "nothing lies between its stubs" in facts_of(model).notes[-1].message


def test_integers_and_masks_need_no_stub() -> None:
    class Chosen(Sum):
        def forward(self, x, mask, scale):
            x = torch.where(mask, self.quant(x), self.other(scale))
            return self.dequant(x.relu())

    mask = image() > 0
    model = prepare(Chosen(), (image(), mask, image()), SETTER, out_dir=None)
    assert "_generated_relu_0" in dtypes(model)


def test_a_constant_of_the_pre_processing_stays_outside() -> None:
    class Normalized(Tail):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).reshape(1, 3, 1, 1))

        def forward(self, x):
            return super().forward(x - self.mean)

    model = prepare(Normalized(), image(), SETTER, out_dir=None)
    assert set(dtypes(model)) == {"quant", "first"}


def test_training_and_calibration_are_two_prepares_with_the_same_names() -> None:
    net = Residual()
    calib = prepare(deepcopy(net), image(), SETTER, out_dir=None)
    calib.eval()
    set_fake_quantize(calib, FakeQuantState.CALIBRATION)
    calib(image())
    set_fake_quantize(calib, FakeQuantState.VALIDATION)
    other = Residual()
    qat = prepare(other, image(), default_qat_qconfig_setter, out_dir=None)
    qat.load_state_dict(calib.state_dict(), strict=True)
    set_fake_quantize(qat.eval(), FakeQuantState.VALIDATION)
    assert torch.equal(qat(image()), calib(image()))
    # a tail that keeps its accumulator has no output quantizer in either
    assert "c.activation_post_process.scale" not in calib.state_dict()


def test_the_same_module_in_two_places_is_prepared_once() -> None:
    class Shared(Stubs):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Conv2d(3, 3, 1)
            self.b = self.a

        def forward(self, x):
            return self.dequant(self.b(self.a(self.quant(x))))

    model = prepare(Shared(), image(), SETTER, out_dir=None)
    found = [p for p in quantizers(model) if p.endswith("weight_fake_quant")]
    assert len(found) == 1

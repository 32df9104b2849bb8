"""States of a prepared model: what observes, what rounds, and in which order people call things."""

import pytest
import torch

from qflow.diagnostics import QflowError
from qflow.quantization import (
    FakeQuantize,
    FakeQuantState,
    prepare,
    qconfig_template,
    set_fake_quantize,
    set_states,
    unobserved,
)
from tests.tracing.models import SmallNet, image, with_statistics

OWNERS = (
    "fc",
    "left._generated_add_0",
    "quant",
    "right._generated_add_0",
    "stem.0",
)


@pytest.fixture
def model():
    return prepare(with_statistics(SmallNet()), {"image": image()})


def quantizers(model) -> list[FakeQuantize]:
    return [m for m in model.modules() if isinstance(m, FakeQuantize)]


def all_ones(model) -> bool:
    return all(bool((q.scale == 1).all()) for q in quantizers(model))


def test_scale_one_until_the_first_forward(model) -> None:
    assert all_ones(model)
    assert unobserved(model) == OWNERS
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    assert all_ones(model)
    model(image())
    assert not any(bool((q.scale == 1).any()) for q in quantizers(model))
    assert unobserved(model) == ()
    scales = [q.scale.clone() for q in quantizers(model)]
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    model(100 * image())
    assert all(torch.equal(q.scale, s) for q, s in zip(quantizers(model), scales, strict=True))


def test_calibration_computes_in_float(model) -> None:
    float_model = with_statistics(SmallNet())
    wanted = float_model(image(3))
    torch.testing.assert_close(model(image(3)), wanted, rtol=1e-5, atol=1e-5)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    torch.testing.assert_close(model(image(3)), wanted, rtol=1e-5, atol=1e-5)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    rounded = model(image(3))
    assert not torch.equal(rounded, wanted)
    assert (rounded - wanted).abs().max() < 0.1 * wanted.abs().max()
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(image(3)), wanted, rtol=1e-5, atol=1e-5)


def test_a_later_eval_stops_calibration_and_says_so(model) -> None:
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model.eval()
    with pytest.raises(QflowError, match=r"QF242: `quant` .* a later `eval\(\)`"):
        model(image())
    assert unobserved(model) == OWNERS
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(image())
    assert unobserved(model) == ()


def test_a_later_train_would_have_batch_norms_calibrate(model) -> None:
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model.train()
    with pytest.raises(QflowError, match=r"QF242: `quant` .* its module is in training mode"):
        model(image())


def test_a_state_for_what_has_no_fake_quantizer_is_reported(model, caplog) -> None:
    set_fake_quantize(model.dequant, FakeQuantState.VALIDATION)
    assert "QF258 warning: `DeQuantStub` has no fake-quantizer" in caplog.text
    with pytest.raises(QflowError, match="QF113"):
        set_fake_quantize(model, "qat")


def test_validation_before_any_data_is_refused(model) -> None:
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    with pytest.raises(QflowError, match="QF401: `quant`"):
        model(image())


@pytest.mark.parametrize(
    ("state", "training"),
    [
        (FakeQuantState.QAT, False),
        (FakeQuantState.CALIBRATION, True),
        (FakeQuantState.VALIDATION, True),
    ],
)
def test_a_state_in_the_wrong_mode_is_refused(model, state, training: bool) -> None:
    model.train(training)
    with pytest.raises(QflowError, match="QF242"):
        set_fake_quantize(model, state)


def test_float_fits_any_mode(model) -> None:
    for training in (True, False):
        set_fake_quantize(model.train(training), FakeQuantState.FLOAT)
    assert FakeQuantState.FLOAT is FakeQuantState._FLOAT


def test_qat_observes_and_rounds(model) -> None:
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    model(image())
    before = float(model.quant.activation_post_process.scale)
    model(10 * image())
    assert float(model.quant.activation_post_process.scale) > before


def test_in_qat_the_weight_scale_follows_the_weights(model) -> None:
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    model(image())
    scale = model.fc.weight_fake_quant.scale.clone()
    with torch.no_grad():
        model.fc.weight.mul_(0.5)
    model(image())
    assert torch.equal(model.fc.weight_fake_quant.scale, scale / 2)


def test_qat_trains(model) -> None:
    torch.manual_seed(0)
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, labels = image(32, seed=2), torch.arange(32) % 10
    losses = []
    for _ in range(15):
        loss = torch.nn.functional.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert losses[-1] < 0.8 * losses[0]


def test_a_frozen_part_keeps_its_scales(model) -> None:
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(image())
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    model.left.eval()
    set_fake_quantize(model.left, FakeQuantState.VALIDATION)
    frozen = model.left._generated_add_0.activation_post_process.scale.clone()
    other = model.right._generated_add_0.activation_post_process.scale.clone()
    model(10 * image())
    assert torch.equal(model.left._generated_add_0.activation_post_process.scale, frozen)
    assert not torch.equal(model.right._generated_add_0.activation_post_process.scale, other)


def test_states_by_address(model) -> None:
    model.eval()
    set_states(model, {a: "calibration" for a in OWNERS})
    model(image())
    model.train()
    states = {"stem.0": "float", "quant": "validation", "fc": "qat", "pool": "qat"}
    set_states(model, {**dict.fromkeys(OWNERS, "validation"), **states})
    found = {q.address: (q.observing, q.quantizing, q.training) for q in quantizers(model)}
    assert found["stem.0"] == found["stem.0.weight"] == (False, False, False)
    assert found["quant"] == found["left._generated_add_0"] == (False, True, False)
    assert found["fc.weight"] == (True, True, True)
    with pytest.raises(KeyError):
        set_states(model, {"no.such": "qat"})


def test_states_by_address_do_not_depend_on_the_order_of_calls(model) -> None:
    for mode in (model.train, model.eval):
        mode()
        set_states(model, {a: "calibration" for a in OWNERS})
        assert all(q.training for q in quantizers(model))
    model(image())
    assert unobserved(model) == ()


def test_training_with_observers_of_calibration_is_said(caplog) -> None:
    example = {"image": image()}
    for setter, said in (
        (qconfig_template.default_calibration_qconfig_setter, ["QF716"]),
        (qconfig_template.default_qat_qconfig_setter, []),
        (qconfig_template.default_qat_fixed_act_qconfig_setter, []),
    ):
        model = prepare(with_statistics(SmallNet()), example, setter, out_dir=None)
        caplog.clear()
        set_fake_quantize(model.train(), FakeQuantState.QAT)
        assert [r.message.split()[0] for r in caplog.records] == said


def test_a_state_that_is_none_names_its_type(model) -> None:
    with pytest.raises(QflowError, match="a GraphModule is no state"):
        set_fake_quantize(FakeQuantState.QAT, model)

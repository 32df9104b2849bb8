"""load_observer_params: what calibration found goes to a model prepared for training."""

import torch

from qflow.dtype import qint8, qint16
from qflow.quantization import (
    FakeQuantize,
    FakeQuantState,
    QConfig,
    load_observer_params,
    prepare,
    set_fake_quantize,
    unobserved,
)
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_calibration_qconfig_setter,
    default_qat_qconfig_setter,
)
from tests.quantization.nets import Tail, image, quantizers


def calibrated():
    model = prepare(Tail(), image(), default_calibration_qconfig_setter, out_dir=None)
    set_fake_quantize(model.eval(), FakeQuantState.CALIBRATION)
    model(image())
    return model


def qat(**named):
    factories = {
        n: QConfig(FakeQuantize.with_args(**s), FakeQuantize.with_args()) for n, s in named.items()
    }
    setter = (ModuleNameQconfigSetter(factories), default_qat_qconfig_setter)
    return prepare(Tail(), image(), setter, out_dir=None)


def test_scales_go_over_and_weights_stay() -> None:
    calib, model = calibrated(), qat()
    weight = model.first.weight.clone()
    assert load_observer_params(calib, model) == ()
    assert unobserved(model) == ()
    for path, quantizer in quantizers(model).items():
        assert torch.equal(quantizer.scale, quantizers(calib)[path].scale)
    assert torch.equal(model.first.weight, weight)


def test_another_dtype_keeps_the_range() -> None:
    calib, model = calibrated(), qat(first={"dtype": qint16})
    load_observer_params(calib, model)
    narrow = quantizers(calib)["first.activation_post_process"]
    wide = quantizers(model)["first.activation_post_process"]
    assert (narrow.dtype, wide.dtype) == (qint8, qint16)
    torch.testing.assert_close(narrow.scale * 127.5, wide.scale * 32767.5)


def test_a_given_scale_stays_and_what_is_missing_is_named() -> None:
    calib, model = calibrated(), qat(quant={"observer": Fixed(0.5)}, last={"dtype": qint8})
    found = load_observer_params(calib, model)
    assert float(quantizers(model)["quant.activation_post_process"].scale) == 0.5
    assert [(d.code, d.severity) for d in found] == [("QF255", "warning")]
    assert "calibrated has no `last.activation_post_process`" in found[0].message
    back = load_observer_params(model, calibrated())
    assert "prepared for training has no `last.activation_post_process`" in back[0].message


def test_a_model_without_scales_is_said(caplog) -> None:
    (found,) = load_observer_params(Tail(), calibrated())
    assert found.code == "QF258"
    assert "Tail" in found.message
    assert [r.message.split()[0] for r in caplog.records][-1:] == ["QF258"]

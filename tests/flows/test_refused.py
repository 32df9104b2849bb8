"""What `export` refuses: no fake-quantizers, a wrong state, scales that no data reached."""

import pytest
import torch

from qflow.diagnostics import QflowError
from qflow.export import export
from qflow.quantization import FakeQuantState, prepare, set_fake_quantize
from qflow.quantization.qconfig_template import default_calibration_qconfig_setter
from tests.flows.test_tail import Net, calibrated

X = torch.ones(2, 3, 6, 8)


def test_a_float_model() -> None:
    with pytest.raises(QflowError, match="QF26"):
        export(Net().eval(), (X,))


def test_a_state_that_is_not_validation() -> None:
    model = calibrated(Net(), default_calibration_qconfig_setter, X)
    set_fake_quantize(model, FakeQuantState._FLOAT)
    with pytest.raises(QflowError, match="QF26"):
        export(model, (X,))


def test_a_model_in_training_mode() -> None:
    model = calibrated(Net(), default_calibration_qconfig_setter, X)
    model.train()
    with pytest.raises(QflowError, match="QF26"):
        export(model, (X,))


def test_scales_never_observed() -> None:
    model = prepare(Net(), (X,), default_calibration_qconfig_setter)
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    with pytest.raises(QflowError, match="QF401"):
        export(model, (X,))

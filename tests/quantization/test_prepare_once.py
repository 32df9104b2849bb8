"""What is prepared or converted already, and what was pickled, is refused with a way out."""

import pickle

import pytest
import torch

from qflow.diagnostics import QflowError
from qflow.export import export
from qflow.quantization import FakeQuantState, convert, prepare, set_fake_quantize
from tests.quantization.nets import Tail, image


def calibrated() -> torch.nn.Module:
    model = prepare(Tail(), image(), out_dir=None)
    set_fake_quantize(model.eval(), FakeQuantState.CALIBRATION)
    model(image())
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


@pytest.mark.parametrize("made", ["prepared", "converted"])
def test_a_model_is_prepared_once(made: str) -> None:
    model = calibrated()
    again = convert(model) if made == "converted" else model
    with pytest.raises(QflowError) as caught:
        prepare(again, image(), out_dir=None)
    assert [d.code for d in caught.value.diagnostics] == ["QF259"]


def test_a_pickled_model_runs_and_says_why_it_cannot_be_exported() -> None:
    model = calibrated()
    back = pickle.loads(pickle.dumps(model))
    assert torch.equal(back(image()), model(image()))
    with pytest.raises(QflowError) as caught:
        export(back, image())
    (found,) = caught.value.diagnostics
    assert found.code == "QF227"
    assert "state_dict" in found.help


@pytest.mark.parametrize("wrong", [Tail, len, 3])
def test_what_is_no_model_is_refused(wrong: object) -> None:
    for call in (
        lambda: prepare(wrong, image(), out_dir=None),
        lambda: set_fake_quantize(wrong, FakeQuantState.QAT),
    ):
        with pytest.raises(QflowError) as caught:
            call()
        assert [d.code for d in caught.value.diagnostics] == ["QF113"]

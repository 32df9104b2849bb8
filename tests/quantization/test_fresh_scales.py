"""Scales are found when they are read: whoever reads one, by whatever way, sees the present one."""

import copy
import io
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from qflow.quantization import FakeQuantize, FakeQuantState, set_fake_quantize
from qflow.quantization.fake_quantize import set_rounding
from qflow.quantization.observer import Observer
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.mse import Mse
from qflow.quantization.statistics import Statistics


class Counted(MinMax):
    searches = 0

    def range(self, state, grid):
        type(self).searches += 1
        return super().range(state, grid)


def calibrating(observer: Observer | None = None) -> nn.Sequential:
    model = nn.Sequential(FakeQuantize(observer or Mse())).eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    return model


X = torch.linspace(-2, 3, 100)
READS: dict[str, Callable[[nn.Sequential], Tensor]] = {
    "attribute": lambda m: m[0].scale,
    "state_dict": lambda m: m.state_dict()["0.scale"],
    "named_buffers": lambda m: dict(m.named_buffers())["0.scale"],
    "buffers": lambda m: next(m.buffers()),
    "get_buffer": lambda m: m.get_buffer("0.scale"),
    "deepcopy": lambda m: copy.deepcopy(m)[0].scale,
    "pickle": lambda m: pickle.loads(pickle.dumps(m))[0].scale,
    "copied_buffers": lambda m: dict(copy.deepcopy(m).named_buffers())["0.scale"],
    "double": lambda m: copy.deepcopy(m).double()[0].scale.float(),
    "range": lambda m: dict(m.named_buffers())["0.activation_post_process.max_val"] / 127.5,
}


def saved(model: nn.Module) -> dict[str, Tensor]:
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("read", READS)
def test_every_way_to_read(read: str) -> None:
    wanted = FakeQuantize(Mse())
    wanted.observing = True
    model = calibrating()
    for x in (X, 10 * X, X):
        wanted(x)
        model(x)
        assert not torch.equal(wanted.scale, torch.ones(1))
        torch.testing.assert_close(READS[read](model), wanted.scale, rtol=1e-6, atol=0)


def test_through_a_file() -> None:
    model = calibrating()
    model(X)
    assert torch.equal(saved(model)["0.scale"], model[0].scale)


def test_loading_replaces_what_was_put_off() -> None:
    model, other = calibrating(), calibrating()
    model(100 * X)
    other(X)
    model.load_state_dict(other.state_dict())
    assert torch.equal(model[0].scale, other[0].scale)
    assert float(model[0].activation_post_process.max_val) <= 3


def test_nobody_reads_nobody_searches() -> None:
    Counted.searches = 0
    model = calibrating(Counted())
    for _ in range(10):
        model(X)
    assert Counted.searches == 0
    model[0].scale, model[0].scale, model.state_dict()
    assert Counted.searches == 1
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    model(X)
    assert Counted.searches == 2


def test_a_copy_goes_its_own_way() -> None:
    model = calibrating(MinMax())
    model(X)
    again = copy.deepcopy(model)
    again(10 * X)
    assert float(model[0].activation_post_process.max_val) == 3
    assert float(again[0].activation_post_process.max_val) == 30
    assert float(model[0].scale) == pytest.approx(3 / 127.5)


def test_without_gradients_and_in_inference_mode() -> None:
    model = calibrating()
    with torch.inference_mode():
        model(X)
    assert float(model[0].scale) > 0
    assert not model[0].scale.requires_grad
    model(2 * X)
    assert model[0].observed


# scales that stay


def test_training_keeps_a_fixed_scale_and_calibration_finds_it() -> None:
    model = nn.Sequential(FakeQuantize(MinMax(), fix_scale=True)).eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(X)
    model(2 * X)
    found = model[0].scale.clone()
    assert float(found) == pytest.approx(6 / 127.5)
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    model(100 * X)
    assert torch.equal(model[0].scale, found)


def test_a_frozen_scale_does_not_move_in_any_state() -> None:
    model = calibrating(MinMax())
    model(X)
    model[0].freeze()
    assert model[0].frozen
    found = model[0].scale.clone()
    model(100 * X)
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    model(100 * X)
    assert torch.equal(model[0].scale, found)
    assert copy.deepcopy(model)[0].frozen


def test_a_number_keeps_its_shape() -> None:
    model = calibrating(MinMax())
    model(torch.tensor(3.0))
    model[0].quantizing = True
    assert model(torch.tensor(1.0)).shape == ()


# the rounding of a checkpoint


def test_a_checkpoint_says_how_it_rounded() -> None:
    model = nn.Sequential(FakeQuantize(rounding="half_up"))
    state = model.state_dict()
    assert state._metadata["0"]["rounding"] == "half_up"
    other = nn.Sequential(FakeQuantize())
    with pytest.raises(RuntimeError, match="trained with rounding half_up"):
        other.load_state_dict(state)
    set_rounding(other, "half_up")
    other.load_state_dict(state)
    assert other[0].rounding == "half_up"
    with pytest.raises(KeyError):
        set_rounding(other, "half_odd")


def test_version_one_loads_where_rounding_is_half_up(caplog: pytest.LogCaptureFixture) -> None:
    state = FakeQuantize(rounding="half_up").state_dict()
    state._metadata[""] = {"version": 1}
    made = FakeQuantize(rounding="half_up", address="stem")
    with caplog.at_level("INFO", logger="qflow"):
        made.load_state_dict(state)
    assert "`stem`: FakeQuantize version 1, rounding half_up" in caplog.text
    with pytest.raises(RuntimeError, match=r"half_up \(FakeQuantize version 1\)"):
        FakeQuantize().load_state_dict(state)


def test_a_range_that_is_loaded_is_no_data() -> None:
    model = calibrating()
    statistics = model[0].activation_post_process
    assert isinstance(statistics, Statistics)
    assert not statistics.has_data
    model(X)
    assert statistics.has_data
    again = calibrating()
    again.load_state_dict(model.state_dict())
    assert not again[0].activation_post_process.has_data

"""reset_scale: scales found anew from histograms, without data."""

import pytest
import torch
from torch import nn

from qflow.diagnostics import QflowError
from qflow.dtype import qint8, qint16
from qflow.quantization import FakeQuantize
from qflow.quantization.field_observers import HistogramObserver
from qflow.quantization.observers.histogram import Histogram
from qflow.quantization.observers.kl import Kl
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.percentile import Percentile
from qflow.quantization.rescaling import reset_scale

X = torch.randn(1, 5000, generator=torch.Generator().manual_seed(0))


def model() -> nn.Module:
    made = nn.Module()
    for name, dtype in (("stem", qint8), ("stem2", qint8), ("head", qint16)):
        block = nn.Module()
        block.add_module("activation_post_process", FakeQuantize(Histogram(), dtype))
        block.add_module("other", FakeQuantize(MinMax()))
        made.add_module(name, block)
    for module in made.modules():
        if isinstance(module, FakeQuantize):
            module.observing = True
            module(X)
    return made


def at(made: nn.Module, name: str) -> FakeQuantize:
    found = made.get_submodule(f"{name}.activation_post_process")
    assert isinstance(found, FakeQuantize)
    return found


def alone(observer) -> torch.Tensor:
    made = FakeQuantize(observer)
    made.observing = True
    made(X)
    return made.scale


def test_it_is_what_the_method_had_found() -> None:
    made = model()
    changed = HistogramObserver.reset_scale(made, "percentile", {"percentile": 0.99})
    assert changed == ("stem.activation_post_process", "stem2.activation_post_process")
    # here 0.99 is a fraction; the observer's own field is in percent
    assert torch.equal(at(made, "stem").scale, alone(Percentile(99.0)))
    assert not torch.equal(at(made, "head").scale, alone(Percentile(99.0)))
    reset_scale(made, "kl")
    assert torch.equal(at(made, "stem").scale, alone(Kl(2048)))


def test_it_goes_on_by_the_new_method() -> None:
    made = model()
    reset_scale(made, "percentile", {"percentile": 0.5}, prefix="stem")
    one = at(made, "stem")
    one(X)
    assert torch.equal(one.scale, alone(Percentile(50.0)))
    assert one.observer == Histogram("percentile", 50.0)
    assert one.activation_post_process.observer == one.observer


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, ["stem", "stem2", "head"]),
        ({"prefix": "stem"}, ["stem"]),
        ({"prefix": "stem."}, ["stem"]),
        ({"dtype": "int16"}, ["head"]),
        ({"dtype": qint8, "prefix": "stem2"}, ["stem2"]),
    ],
)
def test_it_is_told_where(settings, wanted: list[str]) -> None:
    changed = reset_scale(model(), "percentile", **settings)
    assert changed == tuple(f"{w}.activation_post_process" for w in wanted)


def test_a_frozen_scale_stays() -> None:
    made = model()
    at(made, "stem").freeze()
    before = at(made, "stem").scale.clone()
    assert "stem.activation_post_process" not in reset_scale(made, "mix")
    assert torch.equal(at(made, "stem").scale, before)


@pytest.mark.parametrize(
    ("method", "given", "code"),
    [
        ("octav", {}, "QF110"),
        ("mse", {"percentile": 0.5}, "QF112"),
        ("percentile", {"stride": 1}, "QF112"),
        ("percentile", {"percentile": 99.9}, "QF111"),
        ("percentile", {"percentile": 0}, "QF111"),
    ],
)
def test_mistakes(method: str, given, code: str) -> None:
    with pytest.raises(QflowError, match=code):
        reset_scale(model(), method, given)


def test_nothing_to_read_is_said() -> None:
    with pytest.raises(QflowError, match="QF411: no histogram with data below `nowhere`"):
        reset_scale(model(), prefix="nowhere")
    fresh = model()
    loaded = nn.Sequential(FakeQuantize(Histogram()))
    loaded[0].load_state_dict(at(fresh, "stem").state_dict())
    with pytest.raises(QflowError, match="QF411"):
        reset_scale(loaded)

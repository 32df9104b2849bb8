"""Factories of fake-quantizers: what they take, the plan they become, and the way back."""

import pickle
from functools import partial
from typing import Any

import pytest
import torch

from qflow import march
from qflow.diagnostics import QflowError
from qflow.dtype import qint4, qint8, qint16
from qflow.plan.plan import Decided, Fixed, Observed, TensorPlan
from qflow.quantization import FakeQuantize
from qflow.quantization.fake_quantize import fake_quantize_of, tensor_plan
from qflow.quantization.field_observers import (
    ClipObserver,
    ClipStdObserver,
    FieldObserver,
    FixedScaleObserver,
    HistogramObserver,
    KLObserver,
    MinMaxObserver,
    MixObserver,
    MovingAverageMinMaxObserver,
    MovingAveragePerChannelMinMaxObserver,
    MSEObserver,
    PercentileObserver,
)
from qflow.quantization.observer import Observer
from qflow.quantization.observers.clip import Clip
from qflow.quantization.observers.clip_std import ClipStd
from qflow.quantization.observers.fixed import Fixed as FixedScale
from qflow.quantization.observers.histogram import Histogram
from qflow.quantization.observers.kl import Kl
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.mix import Mix
from qflow.quantization.observers.moving_average import MovingAverage
from qflow.quantization.observers.mse import Mse
from qflow.quantization.observers.percentile import Percentile

NASH, GENERIC = march.load("nash-m"), march.load("generic")


def plan_of(scheme: str = "per_tensor", axis: int | None = None, **settings: Any) -> TensorPlan:
    return tensor_plan(FakeQuantize.with_args(**settings), scheme, axis)


def made_of(**settings: Any) -> FakeQuantize:
    return fake_quantize_of(plan_of(**settings), NASH, address="a.b")


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, MinMax()),
        ({"observer": Percentile(99.0)}, Percentile(99.0)),
        ({"observer": Percentile}, Percentile()),
        ({"observer": Percentile, "percentile": 98.0}, Percentile(98.0)),
        ({"observer": Percentile(99.0), "bins": 64}, Percentile(99.0, 64)),
        ({"observer": MinMaxObserver}, MovingAverage(0.01)),
        ({"observer": MovingAverageMinMaxObserver}, MovingAverage(0.01)),
        ({"observer": MinMaxObserver, "averaging_constant": 0.5}, MovingAverage(0.5)),
        ({"observer": MinMaxObserver(averaging_constant=1)}, MovingAverage(1)),
        ({"observer": MinMaxObserver.with_args(averaging_constant=0.2)}, MovingAverage(0.2)),
        ({"observer": PercentileObserver, "percentile": 99.9, "bins": 512}, Percentile(99.9, 512)),
        ({"observer": MSEObserver, "stride": 4}, Mse(4)),
        ({"observer": KLObserver}, Kl(512)),
        ({"observer": KLObserver, "bins": 1024, "update_interval": 5}, Kl(1024)),
        ({"observer": MixObserver}, Mix()),
        ({"observer": HistogramObserver}, Histogram("mse")),
        ({"observer": FixedScaleObserver, "scale": 0.0625}, FixedScale(0.0625)),
        ({"observer": FixedScaleObserver, "scale": torch.tensor([0.5])}, FixedScale(0.5)),
        ({"observer": FixedScaleObserver, "threshold": 4.0}, FixedScale(threshold=4.0)),
        ({"observer": ClipObserver, "xmin": -2, "xmax": 3}, Clip(-2.0, 3.0)),
        ({"observer": ClipStdObserver, "std_scale": 3}, ClipStd(3.0)),
        ({"observer": MSEObserver, "is_sync_quantize": True, "factory_kwargs": None}, Mse()),
    ],
)
def test_there_and_back(settings: dict[str, Any], wanted: Observer) -> None:
    made = made_of(**settings)
    assert made.observer == wanted
    assert FakeQuantize.with_args(**settings)().observer == wanted
    assert made.dtype == qint8
    assert (made.axis, made.address) == (None, "a.b")


@pytest.mark.parametrize("dtype", [qint16, "qint16", "int16"])
def test_dtypes_by_any_name(dtype: Any) -> None:
    assert made_of(observer=MSEObserver, dtype=dtype).dtype == qint16
    assert plan_of(dtype=dtype).dtype == Decided("int16", why="QConfig")


def test_torch_dtypes() -> None:
    assert plan_of(dtype=torch.qint8).dtype.value == "int8"
    assert plan_of(dtype=qint8, quant_min=-128, quant_max=127).dtype.value == "int8"


def test_schemes_and_axes() -> None:
    tensor, channel = torch.per_tensor_symmetric, torch.per_channel_symmetric
    assert (plan_of().scheme.value, plan_of().axis) == ("per_tensor", None)
    weight = plan_of("per_channel", 0)
    assert (weight.scheme.value, weight.axis) == ("per_channel", 0)
    assert plan_of("per_channel", 0, qscheme=tensor).axis is None
    assert plan_of("per_channel", 0, ch_axis=1).axis == 1
    assert plan_of("per_channel", 0, ch_axis=-1).axis == 0
    assert plan_of(qscheme=channel, ch_axis=1).axis == 1
    assert plan_of(qscheme=channel).axis == 0
    per_channel = plan_of(observer=MovingAveragePerChannelMinMaxObserver)
    assert (per_channel.scheme.value, per_channel.axis) == ("per_channel", 0)
    made = fake_quantize_of(per_channel, NASH, address="w", channels=3, follows=True)
    assert (made.axis, made.scale.shape, made.follows) == (0, (3,), True)


def test_the_plan_says_everything() -> None:
    assert plan_of(observer=MSEObserver, stride=3).source == Observed(
        Decided("mse", why="QConfig"),
        (("bins", Decided(2048, why="QConfig")), ("stride", Decided(3, why="QConfig"))),
    )
    assert plan_of(observer=FixedScaleObserver, scale=0.5).source == Fixed(
        Decided(0.5, why="QConfig")
    )


def test_marches_divide() -> None:
    plan = plan_of(observer=FixedScaleObserver, threshold=4.0)
    on = {m.name: fake_quantize_of(plan, m, address="") for m in (NASH, GENERIC)}
    assert float(on["nash-m"].scale) == 4 / 128
    assert float(on["generic"].scale) == pytest.approx(4 / 127)
    wide = plan_of(observer=FixedScaleObserver, threshold=4.0, dtype=qint16)
    assert float(fake_quantize_of(wide, NASH, address="").scale) == 4 / 32768
    for follows, divisor in ((False, NASH.observed_divisor), (True, NASH.weight_divisor)):
        made = fake_quantize_of(plan_of(dtype=qint4), NASH, address="", follows=follows)
        assert divisor == "half_range"
        assert made.grid.divisor == 7.5


def test_scales_that_stay() -> None:
    for settings in (
        {"fix_scale": True},
        {"averaging_constant": 0},
        {"observer": MSEObserver, "averaging_constant": 0.0},
        {"observer": MinMaxObserver(averaging_constant=0)},
    ):
        assert plan_of(**settings).fix_scale == Decided(True, why="QConfig")
        assert made_of(**settings).fix_scale
        assert FakeQuantize.with_args(**settings)().fix_scale
    assert plan_of(averaging_constant=0.5).fix_scale is None
    # a constant that is the observer's own field says what it says there
    assert plan_of(observer=MovingAverage(0)).fix_scale is None


def test_factories_are_values() -> None:
    factory = FakeQuantize.with_args(observer=MSEObserver, dtype=qint8)
    assert factory == FakeQuantize.with_args(dtype=qint8, observer=MSEObserver)
    assert hash(factory) == hash(FakeQuantize.with_args(dtype=qint8, observer=MSEObserver))
    assert factory != FakeQuantize.with_args(observer=MSEObserver)
    assert factory != 3
    assert pickle.loads(pickle.dumps(factory)) == factory
    more = factory.with_args(dtype=qint16)
    assert more().dtype == qint16
    assert factory().dtype == qint8


def test_classes_and_partials_are_factories_too() -> None:
    assert tensor_plan(FakeQuantize, "per_tensor", None) == plan_of()
    given = partial(FakeQuantize, observer=Percentile(50.0))
    assert tensor_plan(given, "per_tensor", None) == plan_of(observer=Percentile(50.0))


@pytest.mark.parametrize(
    ("settings", "code", "word"),
    [
        ({"observer": MSEObserver, "strid": 2}, "QF112", "`stride`"),
        ({"observer": Percentile, "percent": 2}, "QF112", "percent"),
        ({"observer": MSEObserver, "stride": 50}, "QF111", "1..20"),
        ({"observer": Percentile, "percentile": 0}, "QF111", "percent"),
        ({"observer": FixedScaleObserver}, "QF111", "scale or a threshold"),
        ({"observer": FixedScaleObserver, "scale": 0.5, "zero_point": 3}, "QF111", "zero point"),
        ({"observer": KLObserver, "update_interval": 0}, "QF111", "update_interval"),
        ({"observer": MinMaxObserver, "averaging_constant": 2}, "QF111", "0..1"),
        ({"dtype": "qint7"}, "QF110", "qint7"),
        ({"dtype": "float16"}, "QF120", "float16"),
        ({"quant_min": 0}, "QF111", "-128"),
        ({"qscheme": torch.per_tensor_affine}, "QF120", "symmetric"),
        ({"observer": MSEObserver, "pow_quantization": True}, "QF120", "powers of two"),
        ({"saturate": False}, "QF120", "saturate"),
        ({"use_grad_scaling": False}, "QF120", "use_grad_scaling"),
        ({"observer": 3}, "QF113", "observer"),
        ({"observer": "mse"}, "QF113", "observer"),
    ],
)
def test_mistakes(settings: dict[str, Any], code: str, word: str) -> None:
    with pytest.raises(QflowError) as caught:
        plan_of(**settings)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert word in found.message + found.help


def test_what_makes_no_fake_quantizer() -> None:
    with pytest.raises(QflowError, match="QF113"):
        tensor_plan(lambda: FakeQuantize(), "per_tensor", None)


def test_an_observer_of_nobody() -> None:
    class Own(MinMax):
        pass

    with pytest.raises(QflowError, match="QF110: `Own`"):
        plan_of(observer=Own())


def test_observers_for_whole_tensors_refuse_channels() -> None:
    for settings in ({"observer": KLObserver}, {"observer": Histogram("jsd")}):
        plan = plan_of("per_channel", 0, **settings)
        with pytest.raises(QflowError, match=r"QF410: the observer of `w`"):
            fake_quantize_of(plan, NASH, address="w", channels=2, follows=True)
    plan = plan_of("per_channel", 0, observer=HistogramObserver)
    assert fake_quantize_of(plan, NASH, address="w", channels=2).axis == 0


def test_the_shared_arguments_alone_make_nothing() -> None:
    with pytest.raises(NotImplementedError):
        FieldObserver().made()


def test_a_factory_makes_channels_where_the_scheme_says_so() -> None:
    per_channel = FakeQuantize.with_args(qscheme=torch.per_channel_symmetric, ch_axis=1)
    assert (per_channel(channels=3).axis, per_channel(channels=3).scale.shape) == (1, (3,))
    assert FakeQuantize.with_args(ch_axis=1)().axis is None

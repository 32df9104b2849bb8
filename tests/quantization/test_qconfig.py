"""QConfig and the qconfigs that have names in the field."""

from dataclasses import replace

import pytest

import qflow.quantization as quantization
from qflow.diagnostics import QflowError
from qflow.dtype import qint8, qint16
from qflow.plan.plan import Decided, Observed
from qflow.plan.plan import Fixed as FixedScale
from qflow.quantization import FakeQuantize, QConfig, get_qconfig
from qflow.quantization import default_qconfigs as constants
from qflow.quantization import qconfig as home
from qflow.quantization.default_qconfigs import get_default_qconfig
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.qconfig import (
    FixedScaleObserver,
    HistogramObserver,
    MinMaxObserver,
    MSEObserver,
    PercentileObserver,
)

A, B = (FakeQuantize.with_args(dtype=d) for d in (qint8, qint16))


def observer(plan) -> str:
    assert isinstance(plan.source, Observed)
    return str(plan.source.observer.value)


def test_what_is_left_out_is_not_quantized() -> None:
    empty = QConfig()
    assert (empty.output_plan, empty.weight_plan(), empty.input_plan(0)) == (None, None, None)
    assert QConfig(activation=A) == QConfig(output=A)
    assert QConfig(A, B).activation is A


def test_it_unpacks_as_in_the_field() -> None:
    activation, weight, input_, output = QConfig(A, B, input=(A, None))
    assert (activation, weight, input_, output) == (A, B, (A, None), A)
    changed = replace(QConfig(A, B), output=None)
    assert (changed.output, changed.weight) == (None, B)


def test_output_and_activation_are_one_thing() -> None:
    with pytest.raises(QflowError, match="QF252"):
        QConfig(output=A, activation=B)
    assert QConfig(output=A, activation=A).output is A
    with pytest.raises(QflowError, match="QF113"):
        QConfig(output=3)


def test_operands_have_one_factory_or_each_their_own() -> None:
    both = QConfig(input=A)
    assert both.input_plan(0) == both.input_plan(1)
    each = QConfig(input=[None, B])
    assert each.input_plan(0) is None
    assert each.input_plan(1).dtype.value == "int16"
    assert each.input_plan(2) is None


def test_a_given_scale_and_a_kept_scale_are_two_things() -> None:
    given = QConfig(output=FakeQuantize.with_args(observer=Fixed(1 / 128), dtype="int16"))
    assert given.output_plan.source == FixedScale(Decided(1 / 128, why="QConfig"))
    assert given.output_plan.fix_scale is None
    assert given.output_plan.dtype.value == "int16"
    kept = get_qconfig(observer=MSEObserver, fix_scale=True)
    assert observer(kept.output_plan) == "mse"
    assert kept.output_plan.fix_scale.value is True
    assert kept.weight_plan().fix_scale is None


def test_weights_are_per_channel_along_the_axis_of_the_operator() -> None:
    plan = get_qconfig().weight_plan(1)
    assert (plan.scheme.value, plan.axis, observer(plan)) == ("per_channel", 1, "min_max")


def test_get_qconfig() -> None:
    q = get_qconfig(in_dtype=qint16, weight_dtype="qint8", out_dtype=None)
    assert q.output is None
    assert q.input_plan(0).dtype.value == "int16"
    assert q.weight_plan().dtype.value == "int8"
    assert observer(q.input_plan(1)) == "histogram"
    for accepted in (MinMaxObserver, MSEObserver, HistogramObserver):
        assert get_qconfig(observer=accepted).output_plan is not None
    for refused in (PercentileObserver, FixedScaleObserver, int):
        with pytest.raises(QflowError, match="QF111: `get_qconfig` does not take") as caught:
            get_qconfig(observer=refused)
        assert "`MSEObserver`" in caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize(
    ("name", "found", "dtype", "fix_scale"),
    [
        ("default_qat_8bit_fake_quant_qconfig", "moving_average", "int8", None),
        ("default_calib_8bit_fake_quant_qconfig", "percentile", "int8", None),
        ("default_qat_8bit_weight_16bit_act_fake_quant_qconfig", "moving_average", "int16", None),
        ("default_calib_8bit_weight_16bit_act_fake_quant_qconfig", "percentile", "int16", None),
        ("default_qat_8bit_fixed_act_fake_quant_qconfig", "moving_average", "int8", True),
        (
            "default_qat_8bit_weight_16bit_fixed_act_fake_quant_qconfig",
            "moving_average",
            "int16",
            True,
        ),
    ],
)
def test_the_constants_of_the_field(name, found, dtype, fix_scale) -> None:
    q = getattr(home, name)
    assert getattr(quantization, name) is q
    plan = q.output_plan
    assert (observer(plan), plan.dtype.value) == (found, dtype)
    assert (plan.fix_scale.value if plan.fix_scale else None) is fix_scale
    assert q.weight_plan().dtype.value == "int8"
    assert observer(q.weight_plan()) == "min_max"


def test_constants_of_outputs_quantize_the_weight_alone() -> None:
    names = [n for n in constants.__all__ if "_out_" in n and n.endswith("_qconfig")]
    assert len([n for n in names if n.startswith("default_")]) == 4
    for name in names:
        q = getattr(quantization, name)
        q = q if isinstance(q, QConfig) else q()
        assert q.output is None
        assert q.weight_plan() is not None


def test_older_spellings() -> None:
    qat = quantization.get_default_qat_qconfig()
    assert qat is home.default_qat_8bit_fake_quant_qconfig
    assert quantization.get_default_calib_qconfig() is home.default_calib_8bit_fake_quant_qconfig
    assert home.get_default_qat_out_qconfig().output is None


def test_learned_scales_by_word() -> None:
    q = home.default_qat_8bit_lsq_quant_qconfig
    assert q.output_plan.learned.value == q.weight_plan().learned.value == "lsq"
    pact = get_default_qconfig("pact", weight_fake_quant=None)
    assert pact.output_plan.learned.value == "pact"
    assert pact.weight is None


def test_words_of_get_default_qconfig() -> None:
    q = get_default_qconfig(
        activation_observer="kl",
        activation_qkwargs={"dtype": qint16, "bins": 4096},
        weight_qkwargs={"dtype": qint16, "ch_axis": 0},
    )
    assert (observer(q.output_plan), q.output_plan.dtype.value) == ("kl", "int16")
    assert q.weight_plan().dtype.value == "int16"
    with pytest.raises(QflowError, match="QF111"):
        get_default_qconfig(weight_observer="kl")
    with pytest.raises(QflowError, match="QF110: there is no observer `minmax`"):
        get_default_qconfig(activation_observer="minmax")
    with pytest.raises(QflowError, match="QF110: there is no fake-quantizer `lsqq`"):
        get_default_qconfig("lsqq")


def test_names_that_are_not_there() -> None:
    for module in (home, quantization):
        with pytest.raises(AttributeError):
            _ = module.default_nope_qconfig
    with pytest.raises(AttributeError):
        _ = home.NopeObserver

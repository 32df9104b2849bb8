"""Setters: which rule speaks first, what a name stands for, what a default does in which order."""

import pytest
import torch
from torch import nn

from qflow.diagnostics import QflowError
from qflow.dtype import qint8, qint16
from qflow.quantization import FakeQuantize, QConfig, get_qconfig, prepare
from qflow.quantization import qconfig_template as templates
from qflow.quantization.facts import facts_of
from qflow.quantization.qconfig import MSEObserver
from qflow.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    all_fp16_qconfig_setter,
    calibration_8bit_weight_16bit_act_qconfig_setter,
    default_calibration_qconfig_setter,
    default_qat_fixed_act_qconfig_setter,
    default_qat_qconfig_setter,
    gemm_int8_calibration_qconfig_setter,
    qat_8bit_weight_16bit_fixed_act_qconfig_setter,
)
from qflow.quantization.setters.qconfig_dict import QconfigDictSetter
from tests.quantization.nets import (
    Residual,
    Sampled,
    Sum,
    Tail,
    changes,
    codes,
    dtypes,
    image,
    outs,
    quantizers,
)

WIDE = QConfig(*(FakeQuantize.with_args(dtype=d) for d in (qint16, qint8)))
NARROW = QConfig(*(FakeQuantize.with_args(dtype=d) for d in (qint8, qint8)))


def test_there_are_twelve_setters_of_the_field() -> None:
    named = [n for n in templates.__all__ if n.endswith("_qconfig_setter")]
    assert len(named) == 13  # with the factory of sensitive setters
    assert all(getattr(templates, n) is not None for n in named)


# who wins


def test_an_attribute_beats_every_setter() -> None:
    net = Tail()
    net.first.qconfig = WIDE
    model = prepare(net, image(), ModuleNameQconfigSetter({"": NARROW}), out_dir=None)
    assert dtypes(model) == {"quant": "int8", "first": "int16", "last": "int8"}


def test_a_child_takes_its_parents_qconfig_and_none_means_float() -> None:
    net = nn.Sequential(Tail())
    net.qconfig = WIDE
    net[0].last.qconfig = None
    model = prepare(net, image(), out_dir=None)
    assert dtypes(model) == {"0.quant": "int16", "0.first": "int16"}
    assert outs(model)["0.last"] == "float32"
    assert "QF257" not in codes(model)


def test_a_generated_child_takes_the_qconfig_of_its_module() -> None:
    net = Sum()
    net.quant.qconfig = NARROW
    net.qconfig = WIDE
    model = prepare(net, (image(), image()), out_dir=None)
    assert dtypes(model) == {"quant": "int8", "other": "int16", "_generated_add_0": "int16"}


def test_of_a_tuple_the_first_setter_wins() -> None:
    first = ModuleNameQconfigSetter({"first": WIDE})
    second = ModuleNameQconfigSetter({"first": NARROW, "last": WIDE})
    model = prepare(
        Tail(), image(), (first, second, default_calibration_qconfig_setter), out_dir=None
    )
    assert dtypes(model) == {"quant": "int8", "first": "int16", "last": "int16"}


def test_a_setter_behind_the_default_decides_nothing_and_that_is_said(caplog) -> None:
    setters = (default_calibration_qconfig_setter, ModuleNameQconfigSetter({"first": WIDE}))
    model = prepare(Tail(), image(), setters, out_dir=None)
    assert dtypes(model)["first"] == "int8"
    assert "QF256" in codes(model)
    assert "QF256 warning: `ModuleNameQconfigSetter` decides nothing" in caplog.text


def test_what_is_no_setter_is_refused() -> None:
    with pytest.raises(QflowError, match="QF113: `qconfig_setter`"):
        prepare(
            Tail(), image(), (default_calibration_qconfig_setter, {"first": WIDE}), out_dir=None
        )


def test_an_attribute_of_another_package_is_refused() -> None:
    net = Tail()
    net.first.qconfig = torch.ao.quantization.default_qconfig
    with pytest.raises(QflowError, match="QF113: the `qconfig` of `first`"):
        prepare(net, image(), out_dir=None)


def test_the_oldest_form() -> None:
    setter = QconfigDictSetter(
        {
            "": NARROW,
            "module_type": [(nn.Conv2d, WIDE)],
            "module_name": {"last": QConfig(weight=NARROW.weight)},
        }
    )
    net = Tail()
    net.quant.qconfig = WIDE
    model = prepare(net, image(), setter, out_dir=None)
    assert dtypes(model) == {"quant": "int16", "first": "int16"}
    assert outs(model)["last"] == "int32"


def test_mistakes_in_the_oldest_form_come_at_once() -> None:
    setter = QconfigDictSetter(
        {"module_typ": [], "module_type": [("Conv2", WIDE)], "module_name": [("frist", WIDE)]}
    )
    with pytest.raises(QflowError) as caught:
        prepare(Tail(), image(), setter, out_dir=None)
    assert [d.code for d in caught.value.diagnostics] == ["QF112", "QF250", "QF250"]
    text = str([d.notes for d in caught.value.diagnostics])
    assert "`Conv2d`" in text
    assert "`first`" in text


# names


def test_names_that_match_nothing_come_all_at_once() -> None:
    class Outside(Tail):
        def forward(self, x):
            return torch.tanh(super().forward(x))

    setters = (
        ModuleNameQconfigSetter({"frist": WIDE, "_generated_tanh_0": WIDE, "first": WIDE}),
        ModuleNameQconfigSetter({"lats": WIDE}),
    )
    with pytest.raises(QflowError) as caught:
        prepare(Outside(), image(), setters, out_dir=None)
    found = caught.value.diagnostics
    assert [d.code for d in found] == ["QF250"] * 3
    assert "the nearest: `first`" in found[0].notes
    assert "not between the quant and dequant stubs" in found[1].notes[0]
    assert "`last`" in found[2].notes[0]


def test_a_name_of_a_container_covers_what_is_below_and_the_longest_wins() -> None:
    net = nn.Sequential(Tail())
    setter = ModuleNameQconfigSetter({"": NARROW, "0": WIDE, "0.last": NARROW})
    model = prepare(net, image(), setter, out_dir=None)
    assert dtypes(model) == {"0.quant": "int16", "0.first": "int16", "0.last": "int8"}


def test_a_member_of_a_fusion_stands_for_the_fusion() -> None:
    setter = (ModuleNameQconfigSetter({"relu": WIDE}), default_calibration_qconfig_setter)
    model = prepare(Tail(), image(), setter, out_dir=None)
    assert dtypes(model)["first"] == "int16"
    assert ("relu", "address", "relu", "first") in changes(model)


def test_none_by_name_keeps_a_module_float() -> None:
    setter = (ModuleNameQconfigSetter({"first": None}), default_calibration_qconfig_setter)
    model = prepare(Tail(), image(), setter, out_dir=None)
    assert set(quantizers(model)) == {"quant.activation_post_process", "last.weight_fake_quant"}
    assert "QF253" in codes(model)


def test_a_weight_dtype_for_an_operator_without_weight_is_said() -> None:
    q = get_qconfig(observer=MSEObserver, weight_dtype=qint16)
    setter = (ModuleNameQconfigSetter({"quant": q}), default_calibration_qconfig_setter)
    model = prepare(Tail(), image(), setter, out_dir=None)
    assert "quant.weight_fake_quant" not in quantizers(model)
    assert [n.message for n in facts_of(model).notes if n.code == "QF255"]


# defaults


def test_an_output_keeps_its_accumulator_where_a_gemm_alone_feeds_the_dequantize() -> None:
    for setter, grid in (
        (default_calibration_qconfig_setter, "int8"),
        (calibration_8bit_weight_16bit_act_qconfig_setter, "int16"),
    ):
        model = prepare(Tail(), image(), setter, out_dir=None)
        assert outs(model)["last"] == "int32"
        assert dtypes(model) == {"quant": grid, "first": grid}
        assert {str(q.dtype) for p, q in quantizers(model).items() if "weight" in p} == {"int8"}


class Twice(Tail):
    def forward(self, x):
        y = self.last(self.relu(self.first(self.quant(x))))
        return self.dequant(y), torch.sigmoid(y)


class Clipped(Tail):
    def __init__(self) -> None:
        super().__init__()
        self.relu6 = nn.ReLU6()

    def forward(self, x):
        return self.dequant(self.relu6(self.last(self.quant(x)[:, :1].expand(-1, 8, -1, -1))))


class Permuted(Tail):
    def forward(self, x):
        y = self.last(self.relu(self.first(self.quant(x))))
        return self.dequant(y.permute(0, 2, 3, 1))


class Activated(Tail):
    def forward(self, x):
        return self.dequant(torch.sigmoid(self.first(self.quant(x))))


@pytest.mark.parametrize(
    ("net", "code", "why"),
    [
        (Twice, "QF254", "several operators read `last`"),
        (Clipped, "QF254", "a relu6 clips"),
        (Activated, "QF254", "`sigmoid` is no convolution, linear or matmul"),
        (Permuted, "QF505", r"`_generated_permute_0` \(permute\)"),
    ],
)
def test_why_an_output_has_no_high_precision(net, code, why, caplog) -> None:
    caplog.set_level("INFO", logger="qflow")
    model = prepare(net(), image(), default_calibration_qconfig_setter, out_dir=None)
    (found,) = [n for n in facts_of(model).notes if n.code == code]
    import re

    assert re.search(why, found.message)
    assert "int32" not in outs(model).values()
    assert f"{code} {found.severity}" in caplog.text


def test_identities_before_the_dequantize_are_transparent() -> None:
    class Transparent(Tail):
        def __init__(self) -> None:
            super().__init__()
            self.drop = nn.Dropout()

        def forward(self, x):
            return self.dequant(self.drop(self.first(self.quant(x))))

    model = prepare(Transparent(), image(), default_calibration_qconfig_setter, out_dir=None)
    assert outs(model)["first"] == outs(model)["drop"] == "int32"


def test_a_sampling_grid_is_int16_from_its_gemm_or_stub_on() -> None:
    base = torch.zeros(2, 2, 6, 8)
    model = prepare(Sampled(), (image(), base), default_calibration_qconfig_setter, out_dir=None)
    found = dtypes(model)
    wide = {a for a, d in found.items() if d == "int16"}
    assert wide == {"offsets", "base", "_generated_add_0", "_generated_permute_0"}
    assert found["features"] == found["quant"] == "int8"


def test_the_setters_differ_in_observer_and_in_what_training_moves() -> None:
    def first(setter):
        q = quantizers(prepare(Tail(), image(), setter, out_dir=None))
        return q["first.activation_post_process"]

    calib, qat, fixed = map(
        first,
        (
            default_calibration_qconfig_setter,
            default_qat_qconfig_setter,
            default_qat_fixed_act_qconfig_setter,
        ),
    )
    assert type(calib.observer).__name__ == "Mse"
    assert type(qat.observer).__name__ == type(fixed.observer).__name__ == "MovingAverage"
    assert (qat.fix_scale, fixed.fix_scale, fixed.fixed) == (False, True, None)
    wide = first(qat_8bit_weight_16bit_fixed_act_qconfig_setter)
    assert (wide.dtype, wide.fix_scale) == (qint16, True)


def test_gemms_at_int8_among_int16() -> None:
    model = prepare(Residual(), image(), gemm_int8_calibration_qconfig_setter, out_dir=None)
    found = dtypes(model)
    assert found["quant"] == "int16"
    assert found["a"] == "int8"
    # what a gemm multiplies is int8 as well
    assert str(quantizers(model)["a.activation_pre_process.0"].dtype) == "int8"
    assert "b.activation_pre_process.0" not in quantizers(model)


def test_float16_is_known_by_name_and_refused() -> None:
    with pytest.raises(
        QflowError, match="QF501: `all_fp16_qconfig_setter` needs float16"
    ) as caught:
        prepare(Tail(), image(), all_fp16_qconfig_setter, out_dir=None)
    assert "16bit" in caught.value.diagnostics[0].help


def test_without_setter_and_qconfig_calibration_is_assumed_and_said() -> None:
    model = prepare(Tail(), image(), out_dir=None)
    assert "QF257" in codes(model)
    assert type(quantizers(model)["first.activation_post_process"].observer).__name__ == "Mse"


@pytest.mark.parametrize("wrong", ["int8", qint8, nn.Conv2d])
def test_what_is_no_qconfig_is_refused_where_it_is_given(wrong: object) -> None:
    makers = (
        lambda: ModuleNameQconfigSetter({"last": wrong}),
        lambda: QconfigDictSetter({"": wrong}),
        lambda: QconfigDictSetter({"module_name": {"last": wrong}}),
        lambda: QconfigDictSetter({"module_type": [(nn.Conv2d, wrong)]}),
        lambda: templates.get_sensitive_op_qconfig_setter(
            "activation", qint8, wrong, [["last", "activation", "conv", 1.0]], topk=1
        ),
    )
    for make in makers:
        with pytest.raises(QflowError) as caught:
            make()
        (found,) = caught.value.diagnostics
        assert found.code == "QF113"
        assert type(wrong).__name__ in found.message
        assert found.help


def test_names_that_come_without_qconfigs_are_refused() -> None:
    for make in (
        lambda: ModuleNameQconfigSetter(["last"]),
        lambda: QconfigDictSetter([("last", NARROW)]),
        lambda: QconfigDictSetter({"module_name": ["last"]}),
        lambda: QconfigDictSetter({"module_name": [(nn.Conv2d, NARROW)]}),
    ):
        with pytest.raises(QflowError) as caught:
            make()
        assert [d.code for d in caught.value.diagnostics] == ["QF113"]

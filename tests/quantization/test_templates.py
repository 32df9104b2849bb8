"""QconfigSetter: later templates override, thresholds give scales, operands get what they ask for."""

import pytest
import torch
from torch import nn

from qflow.diagnostics import QflowError
from qflow.dtype import qint8, qint16
from qflow.quantization import get_qconfig, prepare
from qflow.quantization.facts import facts_of
from qflow.quantization.qconfig import MSEObserver
from qflow.quantization.qconfig_setter import (
    ConvDtypeTemplate,
    MatmulDtypeTemplate,
    ModuleNameTemplate,
    QconfigSetter,
    SensitivityTemplate,
)
from qflow.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_calibration_qconfig_setter,
)
from tests.quantization.nets import Stubs, Sum, Tail, dtypes, image, outs, quantizers

REFERENCE = get_qconfig(observer=MSEObserver)


def prepared(*templates, net=Tail, inputs=None, reference=REFERENCE):
    inputs = inputs or (image(),)
    return prepare(net(), inputs, QconfigSetter(reference, templates), out_dir=None)


class Forked(Stubs):
    """One tensor that a convolution and a softmax read."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.dequant2 = type(self.dequant)()

    def forward(self, x):
        x = self.a(self.quant(x))
        return self.dequant(self.b(x)), self.dequant2(torch.softmax(x, 1))


class Product(Stubs):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        x = self.quant(x)
        y = torch.matmul(self.left(x), self.right(x).transpose(-1, -2))
        return self.dequant(torch.softmax(y, -1))


def test_the_reference_gives_observers_and_dtypes() -> None:
    model = prepared()
    assert dtypes(model) == {"quant": "int8", "first": "int8"}
    assert outs(model)["last"] == "int32"
    found = quantizers(model)
    assert type(found["first.activation_post_process"].observer).__name__ == "Mse"
    # operands come as asked already: no grid of their own
    assert not [p for p in found if "pre_process" in p]


def test_a_later_template_overrides_an_earlier() -> None:
    wide = ModuleNameTemplate({"": qint16})
    assert dtypes(prepared(wide))["first"] == "int16"
    both = prepared(wide, ModuleNameTemplate({"first": "int8"}))
    assert dtypes(both) == {"quant": "int16", "first": "int8"}
    # the other way round nothing is left of the first
    assert dtypes(prepared(ModuleNameTemplate({"first": qint8}), wide))["first"] == "int16"


def test_a_threshold_gives_the_scale() -> None:
    model = prepared(
        ModuleNameTemplate(
            {
                "quant": {"dtype": qint8, "threshold": 1.0},
                "first": {"dtype": {"output": qint16}, "threshold": {"output": 16.0}},
            }
        )
    )
    found = quantizers(model)
    assert found["quant.activation_post_process"].fixed == 1 / 128
    assert found["first.activation_post_process"].fixed == 16 / 32768
    assert float(found["quant.activation_post_process"].scale) == 1 / 128


def test_operands_with_a_threshold() -> None:
    parts = {"dtype": {"input": qint16, "output": qint16}, "threshold": {"input": 4.0}}
    template = ModuleNameTemplate({"_generated_add_0": parts})
    found = quantizers(prepared(template, net=Sum, inputs=(image(), image())))
    scales = {p: q.fixed for p, q in found.items() if "pre_process" in p}
    assert set(scales.values()) == {4 / 32768}
    assert len(scales) == 2


def test_a_named_tail_has_the_dtype_it_was_given() -> None:
    assert outs(prepared(ModuleNameTemplate({"last": qint16})))["last"] == "int16"
    assert outs(prepared(ModuleNameTemplate({"last": torch.float32})))["last"] == "int32"
    assert outs(prepared(ModuleNameTemplate({"last": {"weight": qint16}})))["last"] == "int32"


def test_weights_by_name() -> None:
    model = prepared(ModuleNameTemplate({"last": {"weight": qint16}}))
    assert str(quantizers(model)["last.weight_fake_quant"].dtype) == "int16"
    assert str(quantizers(model)["first.weight_fake_quant"].dtype) == "int8"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"dtyp": qint8}, "QF112"),
        ("int9", "QF110"),
        (torch.float16, "QF120"),
        ({"threshold": 1.0}, "QF252"),
        ({"dtype": qint8, "threshold": -1}, "QF111"),
    ],
)
def test_values_that_make_no_sense(value, code) -> None:
    with pytest.raises(QflowError, match=code):
        ModuleNameTemplate({"first": value})


def test_names_that_match_nothing() -> None:
    with pytest.raises(QflowError) as caught:
        prepared(ModuleNameTemplate({"frist": qint8}), ModuleNameTemplate({"lats": qint8}))
    assert [d.code for d in caught.value.diagnostics] == ["QF250", "QF250"]


def test_frozen_is_an_error_where_the_march_says_no() -> None:
    class Pooled(Stubs):
        def forward(self, x):
            return self.dequant(nn.functional.max_pool2d(self.quant(x), 2))

    wide = {"_generated_max_pool2d_0": qint16, "quant": qint16}
    model = prepared(ModuleNameTemplate(wide), net=Pooled)
    assert dtypes(model)["quant"] == "int8"
    with pytest.raises(QflowError, match=r"QF501: the output of `.*` is frozen at int16"):
        prepared(ModuleNameTemplate(wide, freeze=True), net=Pooled)


def test_conv_inputs_are_lowered_where_the_conv_reads_alone() -> None:
    model = prepared(ModuleNameTemplate({"": qint16}), ConvDtypeTemplate(qint8, qint16))
    assert dtypes(model) == {"quant": "int8", "first": "int8"}
    assert {str(q.dtype) for p, q in quantizers(model).items() if "weight" in p} == {"int16"}


def test_conv_inputs_get_a_grid_of_their_own_where_others_read_too() -> None:
    model = prepared(ModuleNameTemplate({"": qint16}), ConvDtypeTemplate(qint8), net=Forked)
    assert dtypes(model)["a"] == "int16"
    assert str(quantizers(model)["b.activation_pre_process.0"].dtype) == "int8"


def test_conv_inputs_are_raised() -> None:
    model = prepared(ConvDtypeTemplate(qint16), net=Forked)
    assert dtypes(model)["a"] == "int16"
    assert "b.activation_pre_process.0" not in quantizers(model)


def test_matmul_operands_each_their_own() -> None:
    inputs = (torch.randn(2, 4, 8),)
    model = prepared(MatmulDtypeTemplate([qint16, qint8]), net=Product, inputs=inputs)
    assert (dtypes(model)["left"], dtypes(model)["right"]) == ("int16", "int8")
    model = prepared(MatmulDtypeTemplate(), net=Product, inputs=inputs)
    assert (dtypes(model)["left"], dtypes(model)["right"]) == ("int8", "int8")


def test_sensitivity() -> None:
    table = [
        ["first", "activation", "Conv2d", 0.9, "qint8"],
        ["first", "weight", "Conv2d", 0.5, "qint8"],
        ["last", "activation", "Conv2d", 0.4, "qint8"],
    ]
    model = prepared(SensitivityTemplate(table, 0.3))
    assert dtypes(model)["first"] == "int16"
    assert str(quantizers(model)["first.weight_fake_quant"].dtype) == "int8"
    model = prepared(SensitivityTemplate(table, 3, sensitive_type="both"))
    assert str(quantizers(model)["first.weight_fake_quant"].dtype) == "int16"
    # an output of high precision is better than int16
    assert outs(model)["last"] == "int32"
    with pytest.raises(QflowError, match="QF111"):
        SensitivityTemplate(table, 1, sensitive_type="bias")
    with pytest.raises(QflowError, match="QF252"):
        prepared(SensitivityTemplate(table, 1.5))


def test_fix_scale_of_the_reference_reaches_every_output_but_given_ones() -> None:
    reference = get_qconfig(observer=MSEObserver, fix_scale=True)
    template = ModuleNameTemplate({"quant": {"dtype": qint8, "threshold": 1.0}})
    found = quantizers(prepared(template, reference=reference))
    assert found["first.activation_post_process"].fix_scale
    assert not found["quant.activation_post_process"].fix_scale
    assert found["first.activation_post_process"].fixed is None


def test_it_may_stand_in_a_tuple() -> None:
    named = ModuleNameQconfigSetter({"first": get_qconfig(out_dtype=qint16)})
    setters = (named, QconfigSetter(REFERENCE))
    model = prepare(Tail(), image(), setters, out_dir=None)
    assert dtypes(model) == {"quant": "int8", "first": "int16"}
    assert not [n for n in facts_of(model).notes if n.code == "QF256"]
    late = prepare(Tail(), image(), (default_calibration_qconfig_setter, QconfigSetter(REFERENCE)))
    assert [n.message for n in facts_of(late).notes if n.code == "QF256"]


@pytest.mark.parametrize(
    ("reference", "templates"),
    [
        (None, []),
        ("mse", []),
        (REFERENCE, ModuleNameTemplate({"": qint8})),
        (REFERENCE, [default_calibration_qconfig_setter]),
    ],
)
def test_what_is_no_template_is_refused_where_it_is_given(reference, templates) -> None:
    with pytest.raises(QflowError) as caught:
        QconfigSetter(reference, templates)
    (found,) = caught.value.diagnostics
    assert found.code == "QF113"
    assert found.help


@pytest.mark.parametrize("cut", ["1", None, 1.5, 0])
def test_a_cut_that_is_no_number_of_rows(cut) -> None:
    table = [["first", "activation", "conv", 1.0]]
    with pytest.raises(QflowError) as caught:
        prepared(SensitivityTemplate(table, cut))
    assert [d.code for d in caught.value.diagnostics] == ["QF252"]


def test_a_table_that_leaves_no_row_is_said() -> None:
    model = prepared(SensitivityTemplate([["first", "weight", "conv", 1.0]], 1))
    assert [n.code for n in facts_of(model).notes if "Sensitivity" in n.message] == ["QF256"]


def test_a_qconfig_in_place_of_a_dtype_is_named_by_its_type() -> None:
    with pytest.raises(QflowError, match="a dtype is no QConfig"):
        ModuleNameTemplate({"first": REFERENCE})

"""Sensitivity tables: cut first, then filtered; 4, 5 and 6 columns; as rows, table or file."""

import pytest
import torch

from qflow.diagnostics import QflowError
from qflow.dtype import qint8, qint16
from qflow.plan.sensitivity import Row, Table, save
from qflow.quantization import FakeQuantize, QConfig, prepare
from qflow.quantization.facts import facts_of
from qflow.quantization.qconfig_template import (
    default_calibration_qconfig_setter,
    get_sensitive_op_qconfig_setter,
    sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter,
    sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter,
    sensitive_op_qat_8bit_weight_16bit_fixed_act_qconfig_setter,
)
from qflow.quantization.setters.sensitive import cut, of_kind, rows_of
from tests.quantization.nets import Residual, Tail, changes, dtypes, image, outs, quantizers

setter = sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter
FOUR = [["first", "activation", "Conv2d", 0.9], ["quant", "activation", "QuantStub", 0.1]]
SIX = [
    ["last", "weight", "Conv2d", 0.9, "qint8", "10(50.00%)"],
    ["first", "activation", "Conv2d", 0.8, "qint16", "10(50.00%)"],
    ["quant", "activation", "QuantStub", 0.7, "qint8", "0(0.00%)"],
]


def prepared(table, net=Tail, **how):
    chain = (setter(table, **how), default_calibration_qconfig_setter)
    return prepare(net(), image(), chain, out_dir=None)


def rows(n: int) -> tuple[Row, ...]:
    return tuple(Row(f"m{i}", "activation", "Conv2d", 1 / (i + 1)) for i in range(n))


@pytest.mark.parametrize(
    ("n", "ratio", "kept"), [(6, 0.2, 2), (5, 0.2, 1), (30, 0.2, 6), (10, 1, 10), (3, 0.01, 1)]
)
def test_a_ratio_is_rounded_up(n: int, ratio: float, kept: int) -> None:
    assert len(cut(rows(n), None, ratio)) == kept


@pytest.mark.parametrize(
    "how", [{}, {"topk": 1, "ratio": 0.5}, {"ratio": 0}, {"ratio": 1.2}, {"topk": 0}, {"topk": 2.5}]
)
def test_exactly_one_of_topk_and_ratio_and_in_range(how) -> None:
    with pytest.raises(QflowError, match="QF252"):
        setter(FOUR, **how)


def test_the_cut_comes_before_the_filter() -> None:
    # of the first two rows neither is an int8 activation
    assert dtypes(prepared(SIX, topk=2)) == {"quant": "int8", "first": "int8"}
    assert dtypes(prepared(SIX, topk=3)) == {"quant": "int16", "first": "int8"}
    assert of_kind(rows_of(SIX), "both", "int8") == (rows_of(SIX)[0], rows_of(SIX)[2])


def test_four_columns_say_no_dtype_and_all_count() -> None:
    assert dtypes(prepared(FOUR, topk=5)) == {"quant": "int16", "first": "int16"}


def test_a_table_a_path_and_rows_are_the_same(folder) -> None:
    found = rows_of(FOUR)
    save(Table(found), folder / "table.jsonl")
    torch.save(FOUR, folder / "table.pt")
    # a .pt says the order, JSON lines say the scores: both keep what was first
    assert [r.op_name for r in rows_of(str(folder / "table.pt"))] == ["first", "quant"]
    assert [r.op_name for r in rows_of(folder / "table.jsonl")] == ["first", "quant"]
    assert rows_of(Table(found)) == rows_of(list(found)) == found
    assert dtypes(prepared(folder / "table.pt", topk=1)) == {"quant": "int8", "first": "int16"}


def test_a_name_that_the_model_does_not_have() -> None:
    with pytest.raises(QflowError, match=r"QF250.*`frist`"):
        prepared([["frist", "activation", "Conv2d", 1.0]], topk=1)
    with pytest.raises(QflowError, match="QF282"):
        setter([["first", "activation"]], topk=1)


def test_an_output_of_high_precision_keeps_it() -> None:
    model = prepared([["last", "activation", "Conv2d", 1.0], *FOUR], topk=2)
    assert outs(model)["last"] == "int32"
    assert dtypes(model)["first"] == "int16"


def test_a_sensitive_residual_is_taken_apart_and_all_of_it_is_wide() -> None:
    model = prepared([["_generated_add_0", "activation", "ConvAddReLU2d", 1.0]], Residual, topk=1)
    found = dtypes(model)
    # nash-m fuses an add at int8 only; what was one output is now three
    assert [found[a] for a in ("b", "_generated_add_0", "_generated_relu_0")] == ["int16"] * 3
    assert (found["quant"], found["a"]) == ("int8", "int8")
    named = [c for c in changes(model) if c[1] == "address"]
    assert {c[3] for c in named} == {"b", "_generated_relu_0"}
    assert any("_generated_add_0" in u.members for u in facts_of(model).unfused)


def test_qat_forms_differ_in_the_observer() -> None:
    def wide(make):
        chain = (make(FOUR, topk=1), default_calibration_qconfig_setter)
        model = prepare(Tail(), image(), chain, out_dir=None)
        return quantizers(model)["first.activation_post_process"]

    moving = wide(sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter)
    held = wide(sensitive_op_qat_8bit_weight_16bit_fixed_act_qconfig_setter)
    assert (moving.dtype, moving.fix_scale) == (qint16, False)
    assert (held.dtype, held.fix_scale) == (qint16, True)


def test_the_general_form_takes_any_qconfig_for_any_type() -> None:
    q = QConfig(*(FakeQuantize.with_args(dtype=d) for d in (qint8, qint16)))
    general = get_sensitive_op_qconfig_setter("weight", "qint8", q, SIX, topk=1)
    assert [r.op_name for r in general.rows] == ["last"]
    model = prepare(Tail(), image(), (general, default_calibration_qconfig_setter), out_dir=None)
    # an output of high precision is left alone, weight and all
    assert str(quantizers(model)["last.weight_fake_quant"].dtype) == "int8"
    first = [["first", "weight", "Conv2d", 1.0]]
    general = get_sensitive_op_qconfig_setter("weight", "qint8", q, first, ratio=1.0)
    model = prepare(Tail(), image(), (general, default_calibration_qconfig_setter), out_dir=None)
    assert str(quantizers(model)["first.weight_fake_quant"].dtype) == "int16"


def test_a_table_that_leaves_no_row_is_said() -> None:
    for rows in ([], [["first", "weight", "conv", 1.0, "qint8"]]):
        (note,) = (n for n in facts_of(prepared(rows, topk=1)).notes if n.code == "QF256")
        assert "sensitive_op_calibration" in note.message


def test_an_unknown_sensitive_type_is_refused() -> None:
    with pytest.raises(QflowError) as caught:
        get_sensitive_op_qconfig_setter("weights", qint8, QConfig(), [], topk=1)
    assert [d.code for d in caught.value.diagnostics] == ["QF111"]

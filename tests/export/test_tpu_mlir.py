"""tpu_mlir: tables the documented reader takes, every tensor in one of them, an exact model."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

import onnx
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from qflow.diagnostics import QflowError
from qflow.export._model.finished import Finished
from qflow.export._tpu_mlir.table import threshold_of
from qflow.export.tpu_mlir import TpuMlir
from qflow.plan.plan import ExportPlan
from qflow.quantization import FakeQuantState, record, set_fake_quantize
from tests.export import tpu_mlir_reader as reader
from tests.export.finished import exported, finished, prepared
from tests.export.plans import with_exports

MARCH = "bm1684x"
NETWORKS = ("digits", "residual", "inverted_residual")
BLOCK = ExportPlan("tpu_mlir", "net.onnx", ())


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def written(network: str) -> Path:
    return exported("tpu_mlir", network, MARCH)


def rows_of(path: Path) -> dict[str, reader.Row]:
    return reader.cali_table(path.with_name(f"{path.stem}_cali_table").read_text())


@pytest.mark.parametrize("network", [*NETWORKS, "detector"])
def test_every_tensor_is_in_a_table(network: str) -> None:
    written = exported("tpu_mlir", network, MARCH)
    model = onnx.load(written)
    onnx.checker.check_model(model, full_check=True)
    names = reader.names_of(model)
    floats = reader.qtable(written.with_name(f"{written.stem}_qtable").read_text())
    rows = rows_of(written)
    assert rows.keys() | floats.keys() == names.keys()
    assert not rows.keys() & floats.keys()
    # what a detector does behind its last dequantize stays float
    assert bool(floats) == (network == "detector")
    assert len(rows) > 10


def test_signs_are_those_of_the_graph(written: Path) -> None:
    model, rows = onnx.load(written), rows_of(written)
    names = reader.names_of(model)
    signed = {name: row.low < 0 for name, row in rows.items()}
    for name, op in names.items():
        if op in ("Relu", "HardSigmoid"):
            assert not signed[name], name
        if op == "Conv":
            assert signed[name], name
    by_tensor = {n.output[0]: f"{n.output[0]}_{n.op_type}" for n in model.graph.node}
    for node in model.graph.node:
        read = [by_tensor.get(i, i) for i in node.input]
        # the compiler aborts where two tensors without a sign give one that has it
        if node.op_type == "Mul" and all(r in signed and not signed[r] for r in read):
            assert not signed[by_tensor[node.output[0]]]


def test_thresholds_are_the_scales_of_the_prepared_model(network: str, written: Path) -> None:
    model, _ = prepared(network, MARCH)
    names = json.loads(written.with_suffix(".names.json").read_text())
    rows = rows_of(written)
    found = 0
    for node in record(model).nodes:
        if node.grid is None or node.id not in names["tensors"]:
            continue
        threshold = rows[names["tensors"][node.id]["row"]].threshold
        assert np.float32(threshold / 127) == node.grid.scale[0], node.id
        found += 1
    assert found > 5


def test_the_model_is_the_float_model(network: str, written: Path) -> None:
    model, examples = prepared(network, MARCH)
    model = deepcopy(model)
    set_fake_quantize(model, FakeQuantState.FLOAT)
    one = {name: value[:1] for name, value in examples.items()}
    with torch.no_grad():
        expected = model(**one)
    # onnxruntime 1.31 computes a HardSwish behind a Gemm wrongly; the reference does not
    (ours,) = ReferenceEvaluator(str(written)).run(None, {n: v.numpy() for n, v in one.items()})
    np.testing.assert_allclose(ours, expected.numpy(), rtol=1e-4, atol=1e-5)


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    written = exported("tpu_mlir", "digits", MARCH)
    TpuMlir().write(finished("digits", MARCH), BLOCK, tmp_path / written.name)
    for one in tmp_path.iterdir():
        assert one.read_bytes() == (written.parent / one.name).read_bytes()


@given(st.floats(2.0**-126, 2.0**100, width=32), st.sampled_from([127, 32767]))
@settings(max_examples=40, deadline=None)
def test_a_threshold_is_read_as_the_scale_it_was(scale: float, qmax: int) -> None:
    text, _ = threshold_of(np.float32(scale), qmax)
    assert reader.ROW.fullmatch(f"x {text} -{text} {text}")
    assert np.float32(float(text) / qmax) == np.float32(scale)


def test_the_vendors_decimals_where_they_are_enough() -> None:
    assert threshold_of(np.float32(2.8758372 / 127), 127) == ("2.8758372", 7)


def test_integers_alone_are_not_enough(tmp_path: Path) -> None:
    with pytest.raises(QflowError, match="QF336"):
        TpuMlir().write(Finished(None), BLOCK, tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings_", "code"),
    [
        ((), None),
        ((("opset", 99),), "QF111"),
        ((("batch", 0),), "QF111"),
        ((("layout", (("image", "nhwc"),)),), "QF112"),
    ],
)
def test_what_a_block_may_ask(settings_: tuple, code: str | None) -> None:
    plan = with_exports(("tpu_mlir", "net.onnx", settings_), profile="sophgo_bm1684x")
    found = TpuMlir().check(plan.exports[0], plan)
    assert [d.code for d in found] == ([code] if code else [])


def test_another_vendors_march_is_refused_before_any_work() -> None:
    plan = with_exports(("tpu_mlir", "net.onnx", ()))
    assert [d.code for d in TpuMlir().check(plan.exports[0], plan)] == ["QF501"]


def test_two_blocks_must_not_write_one_file() -> None:
    plan = with_exports(
        ("onnx", "net.onnx", ()),
        ("tpu_mlir", "vendor/net.onnx", ()),
        ("tensorrt_cache", "vendor/net.cache", ()),
        profile="sophgo_bm1684x",
    )
    own = TpuMlir().check(plan.exports[1], plan)
    assert own == ()
    moved = replace(plan.exports[1], path="net.onnx")
    plan = replace(plan, exports=(plan.exports[0], moved))
    assert [d.code for d in TpuMlir().check(moved, plan)] == ["QF337"]

"""The file itself: valid, the same every time, whole or absent, with its name map beside it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from qflow.diagnostics import QflowError  # noqa: E402
from qflow.emulation.graph import IntegerGraph  # noqa: E402
from qflow.export._model.finished import Finished  # noqa: E402
from qflow.export.onnx import Onnx  # noqa: E402
from tests.export.graphs import Net, export  # noqa: E402


def graph(**more: str) -> IntegerGraph:
    net = Net(**more)
    net.conv("stem.conv", ("quant",), 0.03, (5, 4, 3, 3), padding=1, activation="relu")
    net.conv("block.conv", ("stem.conv", "stem.conv"), 0.04, (5, 5, 1, 1), residual=True)
    net.add("mean", "adaptive_avg_pool2d", ("block.conv",), 0.02)
    net.add("flat", "flatten", ("mean",), 0.02, attributes={"start": 1, "end": -1})
    return net.lowered(net.gemm("head", "linear", ("flat",), None, (3, 5)), profile="mul15")


@pytest.mark.parametrize("opset", [13, 17, 19, 21, 23, 25])
def test_the_checker_accepts_every_opset(opset: int, tmp_path: Path) -> None:
    Onnx().write(Finished(graph()), export(opset=opset), tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", opset)]


def test_weights_are_integers_with_a_scale_per_channel(tmp_path: Path) -> None:
    made = graph(weight_dtype="int16", dtype="int16")
    Onnx().write(Finished(made), export(), tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    makers = {n.output[0]: n for n in model.graph.node}
    for address in ("stem.conv", "block.conv", "head"):
        np.testing.assert_array_equal(
            stored[f"{address}.weight"], made.constants[f"{address}.weight"]
        )
        assert stored[f"{address}.weight"].dtype == np.int16
        assert stored[f"{address}.bias"].dtype == np.int32
        scale = stored[f"{address}.weight/scale"]
        np.testing.assert_array_equal(scale, made.constants[f"{address}.weight_scale"])
        node = makers[f"{address}.weight/real"]
        assert node.op_type == "DequantizeLinear"
        assert node.attribute[0].i == 0
    source = made.by_id["quant"].output.scale
    product = source * made.constants["stem.conv.weight_scale"]
    np.testing.assert_array_equal(stored["stem.conv.bias/scale"], product)
    assert not any(v.any() for k, v in stored.items() if k.endswith("/zero"))


def test_nothing_is_stored_that_nobody_reads(tmp_path: Path) -> None:
    Onnx().write(Finished(graph()), export(dtype={"y": "int32"}), tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx").graph
    read = {i for n in model.node for i in n.input}
    assert {t.name for t in model.initializer} <= read
    assert {o for n in model.node for o in n.output} <= read | {o.name for o in model.output}


def test_the_name_map_says_where_every_address_is(tmp_path: Path) -> None:
    made = graph()
    Onnx().write(Finished(made), export(), tmp_path / "model.onnx")
    names = json.loads((tmp_path / "model.names.json").read_text())
    model = onnx.load(tmp_path / "model.onnx").graph
    known = {o for n in model.node for o in n.output} | {t.name for t in model.initializer}
    assert names["model"] == "model.onnx"
    for address in (
        "quant",
        "stem.conv",
        "block.conv",
        "mean",
        "flat",
        "stem.conv.weight",
        "head.bias",
    ):
        record = names["tensors"][address]
        assert record["tensor"] in known, address
        assert record["dtype"] in ("int8", "int32")
    assert names["tensors"]["stem.conv"]["scale"] == [float(np.float32(0.03))]
    assert names["tensors"]["head"] == {
        "tensor": None,
        "real": "y",
        "dtype": "int32",
        "scale": [float(s) for s in made.by_id["head"].output.scale],
        "axis": 1,
    }
    missing = {(m["address"], m["what"]) for m in names["not_exported"]}
    assert ("head", "accumulator") in missing
    assert any(address == "stem.conv" for address, _ in missing)


def test_the_same_graph_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Onnx().write(Finished(graph()), export(), tmp_path / name / "model.onnx")
    for file in ("model.onnx", "model.names.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    Onnx().write(Finished(graph()), export(), path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(QflowError, match="No space left") as error:
        Onnx().write(Finished(graph(dtype="int16")), export(), path)
    assert error.value.diagnostics[0].code == "QF316"
    assert path.read_bytes() == before


def test_an_unknown_operator_is_a_diagnostic(tmp_path: Path) -> None:
    from dataclasses import replace

    made = graph()
    nodes = tuple(replace(n, op="gelu") if n.id == "mean" else n for n in made.nodes)
    with pytest.raises(QflowError, match="`gelu` of `mean`") as error:
        Onnx().write(Finished(replace(made, nodes=nodes)), export(), tmp_path / "model.onnx")
    assert error.value.diagnostics[0].code == "QF502"


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_a_missing_package_names_the_command(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    Onnx().write(Finished(graph()), export(), path)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(QflowError) as error:
        Onnx().read(path).run(Net().images())
    (found,) = error.value.diagnostics
    assert found.code == "QF405"
    assert missing in found.message
    assert found.help == "pip install 'qflow[onnx]'"


@pytest.mark.parametrize(
    ("content", "code"), [(None, "QF302"), (b"\xff\xffnot a model", "QF318"), (b"", "QF318")]
)
def test_a_file_that_is_not_ours_is_a_diagnostic(
    content: bytes | None, code: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(QflowError) as error:
        Onnx().read(path)
    assert error.value.diagnostics[0].code == code


def test_a_foreign_onnx_file_is_a_diagnostic(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    Onnx().write(Finished(graph()), export(), path)
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)
    with pytest.raises(QflowError) as error:
        Onnx().read(path)
    assert error.value.diagnostics[0].code == "QF318"

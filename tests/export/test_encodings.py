"""encodings: every version fits its schema, says the scales of the model, and is read as it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import numpy as np
import pytest

pytest.importorskip("onnxruntime")

import onnx

from qflow.export._encodings.document import render
from qflow.export._tables.rows import Row
from qflow.export.encodings import Encodings
from qflow.tables.reading import parse
from tests.export.encodings_schemas import BY_VERSION
from tests.export.finished import exported
from tests.export.plans import with_exports

VERSIONS = tuple(BY_VERSION)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits in every version, for a march that keeps the accumulator of the tail."""
    made = tmp_path_factory.mktemp("encodings")
    path = exported("encodings", "digits", "nash-m", ("version", "2.0.0"))
    assert (path.parent / "notes").read_text() == "not exported: head; see net.names.json"
    shutil.copytree(path.parent, made / "2.0.0")
    names = json.loads((path.parent / "net.names.json").read_text())["tensors"]
    rows = [_row(id_, record) for id_, record in names.items()]
    for version in ("0.6.1", "1.0.0"):
        kept = [r for r in rows if r.role != "bias"]
        (made / version).mkdir()
        (made / version / "net.encodings").write_text(render(kept, version))
    return made


def _row(id_: str, record: dict) -> Row:
    role = id_.rpartition(".")[2]
    role = role if role in ("weight", "bias") else "activation"
    scale = np.array(record["scale"], np.float32)
    return Row(id_, record["tensor"], role, record["dtype"], scale, record["axis"])


def document(folder: Path, version: str) -> dict:
    return json.loads((folder / version / "net.encodings").read_text())


def activations(folder: Path, version: str) -> dict[str, float]:
    table = parse((folder / version / "net.encodings").read_text(), "net.json")
    assert table.format == "encodings"
    return {e.name: e.scale for e in table.entries if not e.unusable}


@pytest.mark.parametrize("version", VERSIONS)
def test_it_fits_the_schema(folder: Path, version: str) -> None:
    jsonschema.validate(document(folder, version), BY_VERSION[version])


def test_every_name_is_a_tensor_of_the_model_beside_it(folder: Path) -> None:
    model = onnx.load(folder / "2.0.0" / "net.float.onnx")
    onnx.checker.check_model(model, full_check=True)
    values = {i.name for i in model.graph.input} | {t for n in model.graph.node for t in n.output}
    parameters = {i.name: i for i in model.graph.initializer}
    for entry in document(folder, "2.0.0")["encodings"]:
        if "axis" in entry:
            shape = parameters[entry["name"]].dims
            assert shape[entry["axis"]] == len(entry["y_scale"])
        else:
            assert entry["name"] in values


def test_all_versions_say_the_same(folder: Path) -> None:
    first, *others = (activations(folder, v) for v in VERSIONS)
    assert first["stem.conv"] > 0
    assert len(first) > 8
    assert all(other == first for other in others)


def test_channels_are_told_one_by_one(folder: Path) -> None:
    old = document(folder, "0.6.1")["param_encodings"]["stem.conv.weight"]
    new = {e["name"]: e for e in document(folder, "1.0.0")["param_encodings"]}["stem.conv.weight"]
    assert [e["scale"] for e in old] == new["scale"]
    assert new["enc_type"] == "PER_CHANNEL"
    assert set(new["offset"]) == {-128}
    assert all(e["min"] == -128 * e["scale"] and e["max"] == 127 * e["scale"] for e in old)


def test_only_the_last_version_has_biases(folder: Path) -> None:
    names = {e["name"]: e for e in document(folder, "2.0.0")["encodings"]}
    assert names["stem.conv.bias"]["output_dtype"] == "int32"
    assert not any("bias" in n for n in document(folder, "0.6.1")["param_encodings"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("dtype", "bits"), [("int4", 4), ("int8", 8), ("int16", 16)])
def test_bits_and_offsets(version: str, dtype: str, bits: int) -> None:
    scale = np.array([np.float32(0.1)])
    row = Row("a", "a", "activation", dtype, scale, None)
    text = render([row], version)
    jsonschema.validate(json.loads(text), BY_VERSION[version])
    (entry,) = parse(text, "x").entries
    assert (entry.bits, entry.unusable) == (bits, "")
    assert np.float32(entry.scale) == scale[0]


def test_a_version_there_is_none_of() -> None:
    plan = with_exports(("encodings", "net.json", (("version", "3.0.0"),)))
    (found,) = Encodings().check(plan.exports[0], plan)
    assert found.code == "QF111"
    assert "0.6.1" in found.notes[0]

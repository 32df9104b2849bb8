"""`qflow compare`: every lane of a finished run, tensor by tensor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qflow.emulation import file
from qflow.emulation.file import load
from tests.engine.conftest import Project


def compared(project: Project, lanes: str, *more: str) -> dict:
    done = project.call(
        *("compare", str(project.program), "--out", str(project.out)),
        *("--lanes", lanes, "--format", "json", *more),
    )
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_every_lane_against_the_one_before(finished: Project) -> None:
    found = compared(finished, "float,fake_quant,integer,oracle,onnxruntime")
    pairs = {tuple(p["lanes"]): p for p in found["pairs"]}
    assert list(pairs) == [
        ("float", "fake_quant"),
        ("fake_quant", "integer"),
        ("integer", "oracle"),
        ("oracle", "onnxruntime"),
    ]
    first = pairs["float", "fake_quant"]["tensors"][0]
    assert pairs["float", "fake_quant"]["first"] == "quant"
    assert first["cause"]["name"] == "quantization"
    assert 0 < first["steps"] <= 0.5001
    exact = pairs["integer", "oracle"]
    assert exact["first"] is None
    assert all(row["differing"] == 0 for row in exact["tensors"])
    assert sum(row["elements"] for row in exact["tensors"]) > 1000


def test_an_exported_file_equals_the_emulator_in_its_arithmetic(finished: Project) -> None:
    (pair,) = compared(finished, "emulator@export.onnx,onnxruntime")["pairs"]
    assert pair["first"] is None
    assert {row["address"] for row in pair["tensors"]} >= {"quant", "conv", "pool"}


def test_a_wrong_scale_is_found_at_its_operator(finished: Project) -> None:
    """A damaged artifact would be made again, so the graph is changed where the verb reads it."""
    logical = next(finished.out.rglob("convert*/**/logical.safetensors"))
    graph = load(logical)
    conv = graph.by_id["conv"]
    key = conv.constants["multiplier"]
    changed = dict(graph.constants) | {key: graph.constants[key] // 2 + (1 << 13)}
    object.__setattr__(graph, "constants", changed)
    assert (changed[key] != load(logical).constants[key]).any()

    read = file.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file, "load", lambda path: graph if path.name == logical.name else read(path))
        (pair,) = compared(finished, "fake_quant,integer")["pairs"]
    assert pair["first"] == "conv"
    row = next(r for r in pair["tensors"] if r["address"] == "conv")
    assert row["steps"] > 1
    later = next(r for r in pair["tensors"] if r["address"] == "head")
    assert later["cause"] is None


def test_samples_and_data_are_chosen(finished: Project) -> None:
    (pair,) = compared(finished, "integer,oracle", "--data", "calib", "--samples", "4")["pairs"]
    assert pair["tensors"][0]["elements"] == 4 * 16


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--lanes", "integer"), "QF530", "nothing to be compared with"),
        (("--lanes", "integer,orakle"), "QF530", "`oracle`"),
        (("--lanes", "integer,oracle", "--data", "vel"), "QF110", "`vel`"),
    ],
)
def test_what_cannot_be_compared(finished: Project, arguments, code: str, says: str) -> None:
    done = finished.call("compare", str(finished.program), "--out", str(finished.out), *arguments)
    assert done.code == 2
    assert code in done.err
    assert says in done.err


def test_the_table_says_what_is_apart_first(finished: Project, tmp_path: Path) -> None:
    done = finished.call(
        *("compare", str(finished.program), "--out", str(finished.out)),
        *("--lanes", "float,fake_quant,integer,oracle"),
    )
    assert "float and fake_quant: first apart at quant (quantize)" in done.out
    assert "cause: quantization (100%)" in done.out
    assert "integer and oracle: equal in" in done.out

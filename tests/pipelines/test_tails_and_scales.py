"""strokes and digits_fixed: an int32 image in both layouts, and scales that a person gave."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from qflow import cli
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph, TensorType

PIPELINES = Path(__file__).parents[2] / "pipelines"


def run(name: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict, IntegerGraph]:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert cli.main(["check", str(PIPELINES / f"{name}.qf"), "--locked"]) == 0
    assert cli.main(["run", str(PIPELINES / f"{name}.qf"), "--out", str(out)]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert summary["oracle"]["mismatches"] == 0
    assert summary["oracle"]["integers"] > 1_000_000
    return summary, file.load(out / "integer.safetensors")


def tail(graph: IntegerGraph) -> TensorType:
    """What reaches the dequantize."""
    output = graph.by_id[graph.outputs[0][1]]
    return graph.by_id[output.inputs[0]].output


def test_int32_scores_in_both_layouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nchw, first = run("strokes_nchw", tmp_path / "nchw", monkeypatch)
    nhwc, second = run("strokes_nhwc", tmp_path / "nhwc", monkeypatch)
    assert (tail(first).dtype, tail(first).axis, tail(first).shape[1:]) == ("int32", 1, (2, 8, 8))
    assert (tail(second).dtype, tail(second).axis, tail(second).shape[1:]) == (
        "int32",
        3,
        (8, 8, 2),
    )
    assert np.array_equal(tail(first).scale, tail(second).scale)
    # the permute behind the dequantize meets the one of the layout: neither is left at the tail
    ops = (
        [n.op for n in first.nodes].count("permute"),
        [n.op for n in second.nodes].count("permute"),
    )
    assert ops == (2, 1)
    assert nchw["metrics"]["integer"]["accuracy"] == nhwc["metrics"]["integer"]["PixelAccuracy"]


def test_given_scales_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two_threads: None
) -> None:
    _, graph = run("digits_fixed", tmp_path / "fixed", monkeypatch)
    scales = {n.address: n.output.scale for n in graph.nodes if n.output.scale is not None}
    assert scales["quant"].tolist() == [0.0078125]
    assert scales["block1._generated_add_0"].tolist() == [0.0625]
    assert scales["block2._generated_add_0"].tolist() != [0.0625]

"""digits_bm1684x: thresholds of the vendor's calibrator, unsigned grids, its compiler's integers."""

import json
from pathlib import Path

import pytest

from qflow import cli
from qflow.emulation import file
from tests.pipelines.test_digits import PIPELINES

pytest.importorskip("torch")
pytest.importorskip("sklearn")


def test_it_keeps_its_accuracy(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli.main(["run", str(PIPELINES / "digits_bm1684x.qf"), "--out", str(out)]) == 0
    found = json.loads((out / "summary.json").read_text())
    accuracy = {lane: next(iter(m.values())) for lane, m in found["metrics"].items()}
    assert abs(accuracy["integer"] - accuracy["float"]) <= 0.005
    assert found["oracle"]["mismatches"] == 0
    assert found["integer"]["coverage"]["float"] == []
    graph = file.load(out / "integer.safetensors")
    assert {n.output.dtype for n in graph.nodes} == {"float32", "int8", "uint8"}

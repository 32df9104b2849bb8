"""digits_int4: training brings back at least two thirds of what rounding to four bits costs."""

import json
import shutil
from pathlib import Path

import pytest

from qflow import cli
from tests.pipelines.test_digits import PIPELINES

pytest.importorskip("torch")
pytest.importorskip("sklearn")


def drops(folder: Path, out: Path, *more: str) -> dict[str, float]:
    """Data block to the accuracy the integer model loses on it."""
    program = folder / "digits_int4.qf"
    assert cli.main(["run", str(program), "--out", str(out), *more]) == 0
    found = json.loads((out / "summary.json").read_text())
    return {
        check["claim"].rpartition(" ")[2]: check["value"]
        for check in found["checks"]
        if check["claim"].startswith("accuracy_drop")
    }


def test_training_recovers_two_thirds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pipelines"
    shutil.copytree(PIPELINES, folder)
    calibrated = drops(folder, tmp_path / "out", "--set", "rounds=0")
    trained = drops(folder, tmp_path / "out")
    # otherwise the statement would be about nothing
    assert calibrated["val"] >= 0.01
    assert calibrated["moved"] >= 0.005
    recovered = {name: 1 - trained[name] / calibrated[name] for name in calibrated}
    assert set(recovered) == {"val", "moved"}
    assert min(recovered.values()) >= 2 / 3, (calibrated, trained)
    # the second run began where the first had calibrated
    assert f"{'calibrate':<12}reused" in capsys.readouterr().out

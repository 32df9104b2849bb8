"""plan: text and JSON on standard output, findings beside it."""

import json
from pathlib import Path

import pytest

from qflow.cli import main
from tests.cli.pipeline import CASES, copy_case, replace


def test_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int16_nash", tmp_path)
    assert main(["plan", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == (CASES / "int16_nash" / "x.plan").read_text()
    assert "warning[QF504]" in captured.err


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int16_nash", tmp_path)
    assert main(["plan", str(path), "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["target"]["march"] == "nash-m"


def test_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("finetune", tmp_path)
    assert main(["plan", str(path), "--set", "rounds=4"]) == 0
    assert "finetune           on calib epochs 4" in capsys.readouterr().out


def test_errors_are_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int8", tmp_path)
    replace(path, "use w8a8", "use w8a9")
    assert main(["plan", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error[QF110]" in captured.err


def test_without_a_lock_it_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_case("int8", tmp_path)
    path.with_name("x.qf.lock").unlink()
    assert main(["plan", str(path)]) == 2
    assert "error[QF304]" in capsys.readouterr().err

"""The engine itself behind a launcher: the same numbers in this process as in another."""

import json
from pathlib import Path
from typing import Any

import pytest

from qflow import cli
from qflow.sweep import results
from tests.engine.conftest import forget, write_project

WORDS = ("run", "tiny.qf", "-m", "act=int8,int16", "--set", "rounds=0")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path)
    # an export is of the engine, and its packages take long to import in a new process
    program = tmp_path / "tiny.qf"
    program.write_text(program.read_text().partition("export onnx")[0])
    monkeypatch.chdir(tmp_path)
    # drawing takes longer than all the rest, and is tested elsewhere
    monkeypatch.setattr(results.written, "plot", lambda *_: ())
    forget()
    return tmp_path


def numbers(sweep: Path) -> dict[str, Any]:
    """Summaries by point, without seconds and who made a stage."""
    found = {p.parent.name: json.loads(p.read_text()) for p in sweep.glob("points/*/summary.json")}
    for summary in found.values():
        summary["stages"] = sorted(summary["stages"])
    return found


def test_basic_and_joblib_agree(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*WORDS, "--out", "basic"]) == 0
    assert cli.main([*WORDS, "--out", "joblib", "--launcher", "joblib", "--workers", "1"]) == 0
    basic, joblib = here / "basic" / "act", here / "joblib" / "act"
    assert set(numbers(basic)) == {"act=int8", "act=int16"}
    assert numbers(joblib) == numbers(basic)
    for name in ("table.txt", "table.csv"):
        assert (joblib / name).read_bytes() == (basic / name).read_bytes()
    integers = "points/act=int8/integer.safetensors"
    assert (joblib / integers).read_bytes() == (basic / integers).read_bytes()
    # the points share what they have in common, and a second sweep all of it
    assert "act=int16: done" in capsys.readouterr().out
    assert cli.main([*WORDS, "--out", "basic"]) == 0
    said = capsys.readouterr().out
    assert "act=int8: done, 0.0 s, 6 of 6 stages reused" in said
    assert "act=int16: done, 0.0 s, 6 of 6 stages reused" in said

"""qflow profile: every operator of a run or of an integer file, its time and its carrier."""

import json
from pathlib import Path

import pytest

from qflow.engine.work import CONVERT, INTEGER
from tests.engine.conftest import Project


@pytest.fixture
def finished(project: Project) -> Path:
    """The integer file of a finished run."""
    asked = ("--runs", "1", "--batch", "2", "--out", str(project.out))
    outcome = project.call("profile", str(project.program), *asked)
    assert outcome.code == 0, outcome.text
    assert "conv2d" in outcome.out
    assert "for a batch of 2 on cpu" in outcome.out
    return next(project.out.rglob(INTEGER))


def test_a_run_and_its_integer_file(project: Project, finished: Path) -> None:
    assert CONVERT in finished.as_posix()
    call = ("profile", str(finished), "--runs", "2", "--batch", "3", "--threads", "1")
    outcome = project.call(*call, "--format", "json")
    assert outcome.code == 0, outcome.text
    found = json.loads(outcome.out)
    assert (found["batch"], found["runs"], found["threads"]) == (3, 2, 1)
    nodes = found["nodes"]
    assert sum(n["share"] for n in nodes) == pytest.approx(1)
    assert all(n["seconds"] >= 0 and n["shape"][0] == 3 for n in nodes)
    sums = [n for n in nodes if n["op"] in ("conv2d", "linear")]
    assert sums
    assert all(n["carrier"] and n["bound"] > 0 and n["why"] for n in sums)
    assert all(n["carrier"] is None for n in nodes if n["op"] in ("input", "quantize"))


def test_what_is_not_there(project: Project, finished: Path, tmp_path: Path) -> None:
    outcome = project.call("profile", str(finished), "--device", "nowhere")
    assert outcome.code == 2
    assert "QF535" in outcome.text
    outcome = project.call("profile", str(tmp_path / "no.safetensors"))
    assert outcome.code == 2
    assert "QF302" in outcome.text

"""`python -m qflow.hydra` in a project of its own: what it prints, writes and answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.hydra.__main__ import main
from qflow.hydra.app import MARK, carry_out, write
from qflow.hydra.asked import Asked
from qflow.hydra.compose import Composed
from qflow.hydra.foreign import refuse
from qflow.lang.parse import parse
from tests.hydra.project import composed
from tests.hydra.project import write as write_project

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = [sys.executable, "-W", "error", "-m", "qflow.hydra", *arguments]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        code, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}
    )


def test_one_point_from_the_command_line(here: Path) -> None:
    (here / "pipelines").mkdir()
    lock = ROOT / "pipelines" / "digits.qf.lock"
    (here / "pipelines" / "digits.qf.lock").write_bytes(lock.read_bytes())
    done = run("pipeline=digits", "job.verb=show", "march=nash-e", "params.samples=64")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# --set samples=64\nqflow 1\n")
    assert parse(done.stdout, "x.qf").diagnostics == ()
    before = sorted(here.rglob("*"))
    wrong = run("-m", "pipeline=digits", "job.verb=check", "params.samples=0,1")
    assert wrong.returncode == 1
    assert "qflow/conf/pipeline/digits.yaml:" in wrong.stdout
    assert "at the point `samples=0`" in wrong.stdout
    # Hydra keeps what it composed where nobody says otherwise
    assert sorted(here.rglob("*")) == before


def test_what_only_hydra_would_launch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["-m", "pipeline=digits", "params.samples=1,2", "+hydra/sweeper=optuna"]
    monkeypatch.setattr(sys, "argv", ["qflow.hydra", *arguments])
    assert main() == 2
    assert "error[QF150]: `hydra/sweeper=optuna`" in capsys.readouterr().err
    refuse(["-m", "hydra/launcher=basic", "launcher=joblib"])


def test_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    found = composed()
    assert carry_out(found, Asked("check")) == 0
    assert capsys.readouterr().out == "nothing to say\n"
    assert carry_out(found, Asked("plan")) == 0
    assert "# qflow/conf/" in capsys.readouterr().out.replace("../", "")
    assert carry_out(found, Asked("show", form="yaml")) == 0
    assert capsys.readouterr().out.startswith("qflow: 1\n")
    with pytest.raises(QflowError, match="did you mean `show`"):
        carry_out(found, Asked("shwo"))


def test_the_composed_file_is_beside_the_one_it_stands_for(here: Path) -> None:
    found = composed()
    path = write(found)
    assert path == Path("net.composed.qf")
    text = path.read_text()
    assert text.startswith(MARK)
    assert "#   qflow/conf/march/nash-m.yaml\n" in text
    assert parse(text, "x.qf").diagnostics == ()
    before = path.stat().st_mtime_ns
    assert write(found) == path
    assert path.stat().st_mtime_ns == before
    write(composed(["qflow/march=nash-e"]))
    assert "nash-e" in path.read_text()


def test_a_file_of_another_hand_stays() -> None:
    Path("net.composed.qf").write_text("mine")
    with pytest.raises(QflowError, match="QF316"):
        write(composed())
    assert Path("net.composed.qf").read_text() == "mine"


def test_a_run_says_all_errors_first(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: Composed = composed(["qflow.params.top=x", "qflow.params.bits=int64"])
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(QflowError) as caught:
        carry_out(wrong, Asked("run"))
    assert {d.at.path for d in caught.value.diagnostics} == {"conf/main.yaml"}
    assert len(caught.value.diagnostics) == 2
    assert not Path("net.composed.qf").exists()

"""Slurm as submitit is asked to use it: commands that stand for those of a cluster."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.engine import work_job
from qflow.engine.job import JobResult, dumps, read_job
from qflow.sweep.choosing import launcher
from qflow.sweep.launchers import submitit
from tests.sweep import faked

OPTIONS = {
    "partition": "short", "account": "team", "minutes": "90", "memory_gb": "16", "workers": "3",
}  # fmt: skip
SBATCH = """cp "$1" asked.sh
echo "Submitted batch job 7"
"""
SACCT = """echo "JobID|State|NodeList"
echo "7_0|RUNNING|n1"
echo "7_1|OUT_OF_MEMORY|n1"
echo "7_2|PENDING|"
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Define a command of Slurm; it runs in the folder of the sweep."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(work_job, "run_job", faked.acting())
    monkeypatch.setitem(submitit._LOOK_S, "slurm", 0.0)
    monkeypatch.setitem(submitit._LATE_S, "slurm", 1e-9)
    monkeypatch.setattr(submitit, "_STOPPING_S", 0.0)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def define(name: str, text: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{text}")
        (folder / name).chmod(0o755)

    define("srun", "exit 1\n")
    define("sacct", SACCT)
    define("scancel", 'echo "$@" >> cancelled.txt\n')
    return define


def test_one_array_of_jobs(cluster: Callable[[str, str], None], tmp_path: Path) -> None:
    cluster("sbatch", SBATCH)
    jobs = faked.written(tmp_path, "a0", "b0", "c0")
    with closing(launcher("submitit", OPTIONS).launch(jobs)) as running:
        # a job that is over and left nothing died, and Slurm knows of what
        lost = next(running)
        assert (lost.name, lost.exit_code) == ("b0", 4)
        assert lost.diagnostics[0]["notes"][0] == "submitit's job 7_1 is OUT_OF_MEMORY"
        # a result counts as soon as it is there: Slurm says later that the job has ended
        out = Path(read_job(jobs[0]).out)
        out.mkdir(parents=True)
        (out / "result.json").write_text(dumps(JobResult("a0", 1)))
        assert next(running) == JobResult("a0", 1)
    asked = Path("asked.sh").read_text()
    for line in ("partition=short", "account=team", "time=90", "mem=16GB", "array=0-2%3",
                 "cpus-per-task=1", "job-name=qflow"):  # fmt: skip
        assert f"#SBATCH --{line}\n" in asked
    # the one that still waits is cancelled
    assert Path("cancelled.txt").read_text() == "7_2\n"


def test_slurm_that_refuses(cluster: Callable[[str, str], None], tmp_path: Path) -> None:
    cluster("sbatch", 'echo "sbatch: error: invalid partition specified: short" >&2; exit 1\n')
    with pytest.raises(QflowError) as caught:
        list(launcher("submitit", OPTIONS).launch(faked.written(tmp_path, "a0", "b0")))
    assert caught.value.diagnostics[0].code == "QF327"
    assert "sbatch: error: invalid partition" in caught.value.diagnostics[0].notes[0]


def test_a_job_that_is_preempted_is_queued_again() -> None:
    again = submitit.Resumable().checkpoint(print, "folder", "job.json")
    assert isinstance(again.function, submitit.Resumable)
    assert again.args == (print, "folder", "job.json")


def test_a_machine_without_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(QflowError, match="--launcher-option cluster=local") as caught:
        launcher("submitit", {})
    assert [d.code for d in caught.value.diagnostics] == ["QF327"]


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qflow.sweep.launchers._options.find_spec", lambda name: None)
    for name, options in (("joblib", {}), ("ray", {}), ("submitit", {"cluster": "local"})):
        with pytest.raises(
            QflowError, match=rf"(?s)QF405.*pip install 'qflow\[{name}\]'"
        ) as caught:
            launcher(name, options)
        assert len(caught.value.diagnostics) == 1

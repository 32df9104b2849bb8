"""Launchers: every job has a result, one that dies costs only itself, and nothing outlives a stop."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from qflow.engine import work_job
from qflow.engine.job import JobResult
from qflow.sweep.choosing import launcher
from qflow.sweep.launchers import _ended
from tests.sweep import faked

SIDE_BY_SIDE = [
    pytest.param("joblib", {"workers": "2"}, "SIGKILL(-9)", id="joblib"),
    pytest.param("submitit", {"cluster": "local", "workers": "2"}, "submitit's job", id="submitit"),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder the sweep is started in; jobs only do what their names say."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(work_job, "run_job", faked.acting())
    return tmp_path


def ran(name: str, options: dict[str, str], jobs: list[Path]) -> Iterator[JobResult]:
    with closing(launcher(name, options).launch(jobs)) as results:
        yield from results


def test_basic_runs_one_after_the_other_in_this_process(here: Path) -> None:
    jobs = faked.written(here, "b0", "a1", "c3")
    assert [(r.name, r.exit_code) for r in ran("basic", {}, jobs)] == [
        ("b0", 0), ("a1", 1), ("c3", 3),
    ]  # fmt: skip
    assert {faked.pid_of(job) for job in jobs} == {os.getpid()}


def test_basic_is_interrupted_with_its_job(here: Path) -> None:
    running = ran("basic", {}, faked.written(here, "a0", "interrupted", "b0"))
    assert next(running).name == "a0"
    with pytest.raises(KeyboardInterrupt):
        next(running)
    assert not (here / "s/points/b0").exists()


@pytest.mark.parametrize(("name", "options", "why"), SIDE_BY_SIDE)
def test_side_by_side(
    name: str, options: dict[str, str], why: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One launch says it all: a death costs one point, a stop leaves nothing, nobody prints."""
    jobs = faked.written(here, "endless", "killed", "a0", "b1", "endless-too", "never0")
    running = ran(name, options, jobs)
    found = {r.name: r for r in (next(running), next(running), next(running))}
    assert {n: r.exit_code for n, r in found.items()} == {"a0": 0, "b1": 1, "killed": 4}
    assert [d["code"] for d in found["killed"].diagnostics] == ["QF326"]
    assert why in found["killed"].diagnostics[0]["notes"][0]
    assert "s/points/killed/log.txt" in found["killed"].diagnostics[0]["notes"][1]
    while (pid := faked.pid_of(jobs[0])) is None:
        pass
    assert faked.is_there(pid)
    running.close()
    assert not faked.is_there(pid)
    assert faked.pid_of(jobs[-1]) is None
    # what a job prints is kept, and does not get between the lines of the leader
    assert "said by a0" in _ended.said(jobs[2]).read_text()
    assert capfd.readouterr() == ("", "")


def test_nothing_to_run_starts_nothing() -> None:
    for name, options in (("basic", {}), ("joblib", {}), ("submitit", {"cluster": "local"})):
        assert list(ran(name, options, [])) == []
    assert list(ran("ray", {}, [])) == []

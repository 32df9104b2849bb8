"""Frozen points as jobs: the same as plain runs, with one trace and one observation for all."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console as Screen

from qflow.engine import frozen, model, observations, session, work_job
from qflow.engine.console import Console
from qflow.engine.folder import RunFolder
from qflow.engine.job import Job, dumps, read_result
from qflow.engine.run import understand
from qflow.plan import json as plan_json
from tests.engine.conftest import Project, forget

POINTS = ({"act": "int8"}, {"act": "int16"}, {"act": "int8", "seen": "percentile"})


@pytest.fixture(autouse=True)
def nothing_traced() -> Iterator[None]:
    work_job._LAST.clear()
    yield
    work_job._LAST.clear()


@pytest.fixture
def jobs(project: Project) -> list[Path]:
    """Three points: two that differ in a dtype, and one in an observer."""
    text = project.program.read_text().replace("rounds: int   = 1 ", "rounds: int   = 0 ")
    text = text.replace("qflow 1\n", 'qflow 1\nparam seen: string = "min_max"\n')
    text = text.replace("act.dtype = act }", "act.dtype = act; act.observer = seen }")
    project.write("tiny.qf", text)
    return freeze(project)


def freeze(project: Project) -> list[Path]:
    forget()
    console, memo = Console(Screen(quiet=True), lambda found: None), frozen.Memo()
    points = [
        frozen.freeze(project.program, understand(project.program, p), p, console, memo)
        for p in POINTS
    ]
    assert len(memo.models) == 1
    folder = project.folder / "sweep"
    folder.mkdir(exist_ok=True)
    plans = []
    for number, point in enumerate(points):
        plans.append(folder / f"plan{number}.json")
        plans[-1].write_text(plan_json.dumps(point.plan))
    found = []
    for number, beside in enumerate(observations.watched([p.plan for p in points])):
        job = Job(
            name=f"p{number}",
            plan=str(plans[number]),
            folder=str(project.folder),
            out=str(folder / f"p{number}"),
            cache=str(folder / "cache"),
            threads=1,
            model=points[number].model,
            watched=tuple(str(plans[n]) for n in beside),
        )
        found.append(folder / f"job{number}.json")
        found[-1].write_text(dumps(job))
    return found


def how(job: Path) -> dict[str, str]:
    out = json.loads(job.read_text())["out"]
    return {name: word for name, word, _ in read_result(Path(out, "result.json")).stages}


def test_points_trace_once_and_observe_once_and_are_plain_runs(
    project: Project, jobs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    traced: list[Any] = []
    load = model.load
    monkeypatch.setattr(model, "load", lambda *given: traced.append(given) or load(*given))
    assert [work_job.run_job(str(job)) for job in jobs] == [0, 0, 0]
    assert len(traced) == 1
    assert [how(job)["observe"] for job in jobs] == ["ran", "reused", "reused"]
    assert [how(job)["calibrate"] for job in jobs] == ["ran", "ran", "ran"]
    # two dtypes observe the same; another observer listens in the same pass
    (kept,) = (project.folder / "sweep" / "cache").glob("observe-*/manifest.json")
    assert len(json.loads(kept.read_text())["files"]) == 2
    for settings, job in zip(POINTS, jobs, strict=True):
        given = [word for pair in settings.items() for word in ("--set", "=".join(pair))]
        assert project.run(*given).code == 0
        out = Path(json.loads(job.read_text())["out"])
        point = replace(project, out_name=out)
        assert point.results() == project.results()
        assert point.summary()["metrics"] == project.summary()["metrics"]
    # nothing is left to do
    assert [work_job.run_job(str(job)) for job in jobs] == [0, 0, 0]
    assert {word for job in jobs for word in how(job).values()} == {"ran", "reused"}
    assert all(list(how(job).values()).count("ran") == 1 for job in jobs)


def test_a_job_that_cannot_be_done_says_so_in_its_result(
    project: Project, jobs: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    project.replace("tiny/model.py", "padding=1", "padding=0")
    assert work_job.run_job(str(jobs[0])) == 2
    out = project.folder / "sweep" / "p0"
    (said,) = read_result(out / "result.json").diagnostics
    assert said["code"] == "QF323"
    assert said["at"]["path"].endswith("tiny.qf")
    project.replace("tiny/model.py", "padding=0", "padding=1")

    def broken(*given: object, **more: object) -> None:
        raise ZeroDivisionError("of our own making")

    monkeypatch.setattr(session, "ready", broken)
    assert work_job.run_job(str(jobs[0])) == 4
    (said,) = read_result(out / "result.json").diagnostics
    assert "ZeroDivisionError: of our own making" in said["message"]
    assert "Traceback" in (out / "log.txt").read_text()
    (project.folder / "sweep" / "plan1.json").unlink()
    assert work_job.run_job(str(jobs[1])) == 2
    assert read_result(project.folder / "sweep" / "p1" / "result.json").exit_code == 2
    assert capsys.readouterr() == ("", "")


def test_threads_are_those_of_the_job(jobs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    job = json.loads(jobs[0].read_text())
    jobs[0].write_text(json.dumps({**job, "threads": 3}))
    before, seen = torch.get_num_threads(), []

    def looking(*given: object, **more: object) -> None:
        seen.append(torch.get_num_threads())
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "ready", looking)
    with pytest.raises(KeyboardInterrupt):
        work_job.run_job(str(jobs[0]))
    assert seen == [3]
    assert torch.get_num_threads() == before


def test_a_run_that_is_in_the_folder_is_let_end(tmp_path: Path) -> None:
    folder, entered = RunFolder(tmp_path / "out"), threading.Event()

    def second() -> None:
        with folder.open(wait=True):
            entered.set()

    waiting = threading.Thread(target=second)
    with folder.open():
        waiting.start()
        assert not entered.is_set()
    waiting.join()
    assert entered.is_set()

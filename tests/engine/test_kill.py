"""A run that is killed and started again ends as one that was not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from qflow.engine import digest, files
from qflow.engine.cache import Artifact, Cache
from qflow.engine.data import DataSet
from qflow.engine.state import State
from tests.engine.conftest import Outcome, Project

Whole = tuple[dict[str, Any], dict[str, bytes]]
STAGES = ["prepare", "observe", "calibrate", "finetune", "evaluate", "convert", "export", "verify"]

KILLER = """
import os, signal, sys
# everything a run imports on its way, once for all children
import onnx, onnxruntime, torch._inductor.config
from qflow import cli
from qflow.engine import cache, data, digest, session, state
from qflow.export._onnx import file

begin, batches, finish = state.State.start, data.DataSet.batches, cache.Cache.finish
started = []

def watched(self, name, key):
    begin(self, name, key)
    started.append(name)

def dying(self, **more):
    for number, batch in enumerate(batches(self, **more)):
        if started[-1:] == [stage] and number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch

def dying_before_the_rename(self, name, key, seconds):
    if name == stage:
        os.kill(os.getpid(), signal.SIGKILL)
    return finish(self, name, key, seconds)

state.State.start = watched
data.DataSet.batches = dying
cache.Cache.finish = dying_before_the_rename
program, epochs, folder, code, *stages = sys.argv[1:]
# someone may be editing qflow while this runs
digest.of_code = lambda: code
for stage in stages:
    # torch is imported once; every attempt is a process of its own
    child = os.fork()
    if not child:
        os._exit(cli.main(["run", program, "--out", os.path.join(folder, stage)]))
    print(stage, -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)

# one run, killed in the middle of each of its epochs and started again
for epoch in range(3):
    def dying(self, **more):
        for number, batch in enumerate(batches(self, **more)):
            if more.get("epoch") == epoch and number == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

    data.DataSet.batches = dying
    child = os.fork()
    if not child:
        out = os.path.join(folder, "epochs")
        os._exit(cli.main(["run", epochs, "--out", out, "--set", "rounds=3"]))
    print(f"epoch{epoch}", -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
MOMENTUM = "momentum = 0.9; scheduler = cosine; lr"


@pytest.fixture(scope="module")
def killed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one run per stage, each killed in the middle of that stage."""
    folder = tmp_path_factory.mktemp("killed")
    program = template.parent / "tiny.qf"
    epochs = template.parent / "epochs.qf"
    epochs.write_text(program.read_text().replace("lr", MOMENTUM))
    arguments = [str(program), str(epochs), str(folder), digest.of_code(), *STAGES]
    done = subprocess.run(
        [sys.executable, "-B", "-c", KILLER, *arguments],
        capture_output=True,
        text=True,
        # sums depend on how many threads share them, and the unbroken run is in this process
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    ends = dict(line.split() for line in done.stdout.splitlines() if line.count(" ") == 1)
    killed = [*STAGES, "epoch0", "epoch1", "epoch2"]
    assert {s: ends.get(s) for s in killed} == dict.fromkeys(killed, str(int(signal.SIGKILL))), (
        done.stdout + done.stderr
    )
    assert "goes on behind epoch 1/3" in done.stdout
    return folder


@pytest.mark.parametrize("stage", STAGES)
def test_kill_9_in_the_middle_of_a_stage(
    project: Project, whole: Whole, killed: Path, stage: str
) -> None:
    out = killed / stage
    assert not (out / "summary.json").exists()
    assert (out / "state.json").exists()
    again = project.call("run", str(project.program), "--out", str(out))
    assert_same(again, project, whole, out)
    for name in STAGES[: STAGES.index(stage)]:
        assert f"{name:<12}resumed" in again.out
    assert f"{stage:<12}resumed" not in again.out


def test_kill_9_in_the_middle_of_every_epoch(project: Project, killed: Path) -> None:
    project.replace("tiny.qf", "lr", MOMENTUM)
    out = killed / "epochs"
    program = project.folder / "epochs.qf"
    program.write_text(project.program.read_text())
    outcome = project.call("run", str(program), "--out", str(out), "--set", "rounds=3")
    assert outcome.code == 0, outcome.text
    assert "goes on behind epoch 2/3" in outcome.out
    assert project.run("--set", "rounds=3").code == 0
    assert state_of(out) == state_of(project.out)


def state_of(out: Path) -> bytes:
    """What training left, byte for byte."""
    (found,) = (p for p in out.glob("cache/finetune-*") if p.is_dir())
    return (found / "state.safetensors").read_bytes()


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it or cleans up after it."""


def assert_same(outcome: Outcome, project: Project, whole: Whole, out: Path) -> None:
    assert outcome.code == 0, outcome.text
    mine = Project(project.folder, project.call, out)
    assert (mine.untimed(), mine.results()) == whole


MOMENTS = [
    (Cache, "start", True),
    (State, "start", False),
    (State, "start", True),
    (Cache, "finish", False),
    (Cache, "finish", True),
]


@pytest.mark.parametrize(("owner", "name", "after"), MOMENTS)
def test_every_moment_between_the_steps(
    project: Project,
    whole: Whole,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    after: bool,
) -> None:
    """Killed again and again, one step further each time."""
    out = tmp_path / "killed"
    original = getattr(owner, name)
    kills = 0
    while True:
        calls = 0

        def killing(self: object, stage: str, *more: object) -> Artifact | Path | None:
            nonlocal calls
            calls += 1
            if calls == 3 and not after:
                raise Killed
            result = original(self, stage, *more)
            if calls == 3:
                raise Killed
            return result

        monkeypatch.setattr(owner, name, killing)
        try:
            outcome = project.call("run", str(project.program), "--out", str(out))
        except Killed:
            kills += 1
            assert kills < 20
            continue
        finally:
            monkeypatch.setattr(owner, name, original)
        break
    assert kills >= 2
    assert_same(outcome, project, whole, out)


def test_killed_while_results_are_put_in_place(
    project: Project, whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "killed"
    arguments = ("run", str(project.program), "--out", str(out))
    original = files.rename_folder

    def killing(unfinished: Path, path: Path) -> None:
        if path.name == "export":
            raise Killed
        original(unfinished, path)

    monkeypatch.setattr(files, "rename_folder", killing)
    with pytest.raises(Killed):
        project.call(*arguments)
    monkeypatch.undo()
    outcome = project.call(*arguments)
    assert_same(outcome, project, whole, out)
    assert outcome.out.count("resumed") == 2 * len(STAGES)


def test_a_killed_from_is_resumed_as_one(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stages `--from` had made again before the kill are not made a third time."""
    finished.run("--from", "finetune")
    undisturbed = finished.untimed()
    original = Cache.finish

    def killing(self: Cache, stage: str, key: str, seconds: float) -> Artifact:
        if stage == "convert":
            raise Killed
        return original(self, stage, key, seconds)

    monkeypatch.setattr(Cache, "finish", killing)
    with pytest.raises(Killed):
        finished.run("--from", "finetune")
    monkeypatch.setattr(Cache, "finish", original)
    outcome = finished.run("--from", "finetune")
    assert finished.untimed() == undisturbed
    assert f"{'finetune':<12}resumed" in outcome.out
    assert f"{'calibrate':<12}reused" in outcome.out


def test_ctrl_c_is_130_and_the_next_run_goes_on(
    project: Project, whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "killed"
    arguments = ("run", str(project.program), "--out", str(out))
    original = DataSet.batches
    passes = 0

    def interrupted(self: DataSet, **more: int) -> Iterator[object]:
        nonlocal passes
        passes += "epoch" in more
        if passes:
            raise KeyboardInterrupt
        yield from original(self, **more)

    monkeypatch.setattr(DataSet, "batches", interrupted)
    outcome = project.call(*arguments)
    monkeypatch.setattr(DataSet, "batches", original)
    assert outcome.code == 130
    assert "interrupted" in outcome.text
    assert not (out / "summary.json").exists()
    again = project.call(*arguments)
    assert f"{'calibrate':<12}resumed" in again.out
    assert_same(again, project, whole, out)

"""`--resume`: the frozen plans as they are, results that came to their end, and the rest again."""

import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from qflow import cli
from qflow.engine.job import read_job
from tests.sweep.conftest import Small, begun

FOUR = ("-m", "act=int8,int16", "rounds=0,1")
NAME = "act+rounds"
POINTS = ["act=int8,rounds=0", "act=int8,rounds=1", "act=int16,rounds=0", "act=int16,rounds=1"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sweep that was interrupted in its third point; the second had failed."""
    folder = tmp_path_factory.mktemp("broken")
    with StringIO() as said, redirect_stdout(said), redirect_stderr(StringIO()):
        with begun(folder, lambda: ("", "")) as made:
            made.codes = {POINTS[0]: 1, POINTS[1]: 3, POINTS[2]: 130}
            assert made.run(*FOUR) == 130
        assert made.ran == POINTS[:3]
        assert not made.compared
        assert "`--resume` goes on from here" in said.getvalue()
    return folder


@pytest.fixture
def broken(small: Small, template: Path) -> Small:
    shutil.copytree(template / "sweeps", small.folder / "sweeps")
    return small


def test_the_rest_runs_and_the_table_has_all(broken: Small) -> None:
    assert broken.run(*FOUR, "--resume") == 1
    assert broken.ran == POINTS[1:]
    assert [(o.name, o.exit_code) for o in broken.compared] == [
        (POINTS[0], 1), *((p, 0) for p in POINTS[1:]),
    ]  # fmt: skip
    assert "1 of 4 points are done" in broken.out
    assert "4/4" in broken.out
    assert broken.run("--resume") == 1
    assert broken.ran == []
    assert len(broken.compared) == 4


def test_the_file_may_have_changed_or_gone(broken: Small) -> None:
    plan = read_job(broken.sweep(NAME) / "jobs" / f"{POINTS[3]}.json").plan
    before = (broken.folder / plan).read_bytes()
    broken.write("tiny.qf", "nothing that could be read")
    assert broken.run(*FOUR, "--resume") == 1
    assert (broken.folder / plan).read_bytes() == before


def test_without_resume_all_is_compiled_and_run_anew(broken: Small) -> None:
    broken.replace("samples = 16", "samples = 8")
    assert broken.run(*FOUR) == 0
    assert broken.ran == POINTS


def test_from_another_folder(broken: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = broken.folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert cli.main(["run", "../tiny.qf", "--out", "../sweeps/tiny", "--resume"]) == 1
    assert broken.ran == POINTS[1:]
    job = read_job(broken.sweep(NAME) / "jobs" / f"{POINTS[3]}.json")
    assert (job.folder, job.out) == ("..", f"../sweeps/tiny/{NAME}/points/{POINTS[3]}")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-m", "act=int8", "rounds=0,1", "--resume"), "`-m act=int8,int16 rounds=0,1`"),
        (("-m", "rounds=0", "--resume"), "no sweep `rounds` in `sweeps/tiny`"),
        (("--sweep", "other", "--resume"), "there are `act+rounds`"),
        ((*FOUR, "--set", "act=int8", "--resume"), "started without `--set`"),
        ((*FOUR, "--threads", "2", "--resume"), "started with `--threads 1`"),
        (("--resume", "--out", "nowhere"), "no sweep in `nowhere` to be resumed"),
    ],
)
def test_another_sweep_is_none_to_resume(broken: Small, words: tuple[str, ...], says: str) -> None:
    assert broken.run(*words) == 2
    assert "error[QF324]" in broken.err
    assert says in broken.err
    assert broken.ran == []


def test_which_of_several_must_be_said(broken: Small) -> None:
    assert broken.run("-m", "rounds=0") == 0
    assert broken.run("--resume") == 2
    assert "there are `act+rounds`, `rounds`" in broken.err


def cut(text: str) -> str:
    return text[: len(text) // 2]


def outside(text: str) -> str:
    return text.replace(POINTS[3], "../../../act")


def of_later(text: str) -> str:
    return text.replace('"format_version": "1.0"', '"format_version": "2.0"')


def other_types(text: str) -> str:
    return json.dumps({**json.loads(text), "points": [{"name": 3}]})


@pytest.mark.parametrize("spoil", [cut, outside, of_later, other_types])
def test_a_damaged_record(broken: Small, spoil: Callable[[str], str]) -> None:
    path = broken.sweep(NAME) / "sweep.json"
    path.write_text(spoil(path.read_text()))
    assert broken.run(*FOUR, "--resume") == 2
    assert "error[QF322]: `sweeps/tiny/act+rounds/sweep.json`" in broken.err
    assert broken.ran == []


def test_a_plan_that_was_changed(broken: Small) -> None:
    path = broken.sweep(NAME) / "plans" / f"{POINTS[3]}.json"
    path.write_text(path.read_text().replace("int16", "int8"))
    assert broken.run(*FOUR, "--resume") == 2
    assert f"error[QF322]: `sweeps/tiny/act+rounds/plans/{POINTS[3]}.json`" in broken.err


@pytest.mark.parametrize("file", ["result.json", "summary.json"])
def test_a_result_that_cannot_be_read_runs_again(broken: Small, file: str) -> None:
    (broken.sweep(NAME) / "points" / POINTS[0] / file).write_text("{")
    assert broken.run(*FOUR, "--resume") == 0
    assert broken.ran == POINTS

"""A sweep from the command line to its table: errors first, plans frozen, the worst exit code."""

import json
from pathlib import Path

import pytest

from qflow.engine import work_job
from qflow.engine.job import read_job
from qflow.plan import reader
from qflow.sweep.folder import SweepFolder
from tests.sweep.conftest import Small

TWO = ("-m", "act=int8,int16")
POINTS = ["act=int8", "act=int16"]


def test_every_point_runs_and_is_compared(small: Small) -> None:
    assert small.run(*TWO) == 0
    assert small.ran == POINTS
    assert "1/2         act=int8: done, 0.5 s, 0 of 1 stages reused" in small.out
    first = small.compared[0]
    assert [o.name for o in small.compared] == POINTS
    assert first.values == (("act", "int8"),)
    assert first.metrics == (("float.accuracy", 0.75), ("integer.accuracy", 0.5))
    assert first.weight_bytes == 44
    assert first.bit_operations < small.compared[1].bit_operations
    job = read_job(small.sweep() / "jobs" / "act=int16.json")
    assert (job.folder, job.out) == (".", "sweeps/tiny/act/points/act=int16")
    assert (job.cache, job.threads) == ("sweeps/tiny/cache", 1)
    plan = reader.loads(Path(job.plan).read_text())
    assert ("act", "int16") in plan.params
    # both calibrate on the same values: either may observe for the other
    assert job.watched == () or set(job.watched) <= {
        f"sweeps/tiny/act/plans/{name}.json" for name in POINTS
    }
    assert not list(small.sweep().rglob("*.started"))


def test_a_sweep_of_the_file_with_values_for_another_param(small: Small) -> None:
    small.write(
        "tiny.qf", (small.folder / "tiny.qf").read_text() + "\nsweep acts { act = [int8] }\n"
    )
    assert small.run("--sweep", "acts", "-m", "rounds=0,1", "--out", "here") == 0
    assert small.ran == ["act=int8,rounds=0", "act=int8,rounds=1"]
    assert (small.folder / "here" / "acts" / "sweep.json").is_file()


def test_errors_of_all_points_before_anything_runs(small: Small) -> None:
    small.replace("optimizer = sgd", "optimizer = sdg")
    small.replace("lr = 1e-2", "lr = -1")
    assert small.run(*TWO, "rounds=0,1") == 2
    assert small.ran == []
    # one cause is said once, and where every point has it no point is named
    assert small.err.count("error[QF111]") == 1
    assert small.err.count("error[") == 2
    assert "at the point" not in small.err
    assert not small.sweep("act+rounds").exists()


def test_what_one_point_has_wrong_names_it_once(small: Small) -> None:
    small.replace("lr = 1e-2", "lr = rate")
    small.replace("param rounds", "param rate: float = 0.1\nparam rounds")
    assert small.run("-m", "rate=0.1,-1.0", "act=int8,int16") == 2
    assert small.err.count("error[QF111]: `lr` must be above 0") == 1
    assert "at the points `rate=-1.0,act=int8`, `rate=-1.0,act=int16`" in small.err
    assert small.ran == []


def test_a_value_that_is_none(small: Small) -> None:
    assert small.run("-m", "act=int8,int3", "nothing=1") == 2
    assert "QF110" in small.err
    assert small.ran == []


def test_what_only_the_model_tells_stops_a_sweep_too(small: Small) -> None:
    small.replace("float32[N, 1, 4, 4]", "float32[N, 3, 4, 4]")
    assert small.run(*TWO) == 2
    assert small.err.count("error[QF313]") == 1
    assert small.ran == []


def test_a_failed_point_does_not_stop_the_others(small: Small) -> None:
    small.codes["act=int8,rounds=0"] = 3
    small.codes["act=int16,rounds=0"] = 1
    assert small.run(*TWO, "rounds=0,1") == 3
    assert len(small.ran) == 4
    assert "1/4         act=int8,rounds=0: failed (QF403)" in small.out
    assert "act=int16,rounds=0: done, an assert is false" in small.out
    assert small.err.count("error[QF403]") == 1
    assert "at the points `act=int8,rounds=0`, `act=int16,rounds=0`" in small.err


def test_the_plans_are_frozen(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens to the file while points run, all run as it was."""

    def spoil(path: str) -> int:
        small.write("tiny.qf", "qflow 1\nnothing")
        return small.end(path)

    monkeypatch.setattr(work_job, "run_job", spoil)
    assert small.run(*TWO) == 0
    assert small.ran == POINTS


def test_findings_as_json_alone_on_standard_output(small: Small) -> None:
    small.codes["act=int8"] = 3
    assert small.run(*TWO, "--format", "json") == 3
    found = json.loads(small.out)["diagnostics"]
    assert [d["notes"] for d in found if d["code"] == "QF403"] == [["at the point `act=int8`"]]
    assert "act=int8: failed" in small.err


def test_two_do_not_work_in_one_folder(small: Small) -> None:
    with SweepFolder(Path("sweeps/tiny"), "act").open():
        assert small.run(*TWO) == 2
        assert "error[QF325]: another sweep is at work in `sweeps/tiny/act`" in small.err
        assert small.run("-m", "rounds=0") == 0


def test_starting_over_leaves_nothing_of_other_points(small: Small) -> None:
    assert small.run("-m", "act=int8,int16", "--threads", "2") == 0
    assert small.run("-m", "act=int16") == 0
    for folder in ("plans", "jobs", "points"):
        assert {p.name.partition(".")[0] for p in (small.sweep() / folder).iterdir()} == {
            "act=int16"
        }
    assert read_job(small.sweep() / "jobs" / "act=int16.json").threads == 1


def test_options_that_are_wrong(small: Small) -> None:
    for words, says in (
        (("--launcher", "joblib", "--launcher-option", "worker=2"), "did you mean `workers`?"),
        (("--launcher", "joblib", "--launcher-option", "workers=two"), "is a whole number"),
        (("--launcher", "submitit", "--launcher-option", "minutes=0"), "`minutes` of a launcher"),
        (("--launcher", "submitit", "--launcher-option", "cluster=lsf"), "not `lsf`"),
        (("--workers", "2"), "there is no option of `basic` called `workers`"),
        (("--workers", "2", "--launcher-option", "workers=3"), "given twice"),
        (("--launcher-option", "workers"), "is not NAME=VALUE"),
        (("--from", "calibrate"), "--from is for a single run"),
    ):
        assert small.run(*TWO, *words) == 2, words
        assert says in small.err, small.err
    assert small.run("--workers", "2") == 2
    assert "are for sweeps" in small.err
    assert small.ran == []
    assert not (small.folder / "sweeps").exists()

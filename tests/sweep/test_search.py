"""`--sampler optuna`: some of the points run, the same ones when it is broken off and resumed."""

import json

from tests.sweep.conftest import Small

FOUR = ("-m", "act=int8,int16", "rounds=0,1")
SEARCH = (*FOUR, "--sampler", "optuna", "--trials", "3", "--seed", "1")


def test_a_search_runs_some_points_and_goes_on_as_it_would_have(small: Small) -> None:
    assert small.run(*SEARCH) == 0
    ran, compared = list(small.ran), [o.name for o in small.compared]
    assert len({*ran}) == len(ran) == 3
    assert sorted(compared) == sorted(ran)
    assert "3/3" in small.out
    wanted = json.loads((small.sweep("act+rounds") / "sweep.json").read_text())["wanted"]
    assert (wanted["sampler"], wanted["trials"], wanted["batch"]) == ("optuna", 3, 1)

    small.codes[ran[1]] = 130
    assert small.run(*SEARCH) == 130
    assert small.ran == ran[:2]
    small.codes.clear()
    assert small.run(*FOUR, "--resume") == 0
    assert small.ran == ran[1:]
    assert [o.name for o in small.compared] == compared
    assert small.run(*FOUR, "--resume", "--seed", "2") == 2
    assert "it was started with `--seed 1`" in small.err


def test_an_objective_is_judged_before_anything_runs(small: Small) -> None:
    assert small.run(*FOUR, "--objective", "integr.accuracy") == 2
    assert "did you mean `integer.accuracy`?" in small.err
    assert small.ran == []

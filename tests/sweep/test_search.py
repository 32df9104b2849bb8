"""`--sampler optuna`: some of the points run, the same ones when it is broken off and resumed."""

from qflow.sweep import record
from qflow.sweep.results.objective import Objective
from qflow.sweep.sampling import Search, sampler
from tests.sweep.conftest import Small

FOUR = ("-m", "act=int8,int16", "rounds=0,1")
SEARCH = ("--sampler", "optuna", "--trials", "3", "--seed", "1")
NAMES = [f"act={act},rounds={rounds}" for act in ("int8", "int16") for rounds in (0, 1)]


def test_a_search_that_is_broken_off_goes_on_as_it_would_have(small: Small) -> None:
    small.codes = dict.fromkeys(NAMES, 130)
    assert small.run(*FOUR, *SEARCH) == 130
    (first,) = small.ran
    small.codes = {}
    assert small.run(*FOUR, "--resume") == 0
    assert "3/3" in small.out
    assert len({*small.ran}) == len(small.ran) == 3
    assert [o.name for o in small.compared] == [n for n in NAMES if n in small.ran]

    frozen = record.read(small.sweep("act+rounds") / "sweep.json")
    assert (frozen.wanted.kind, frozen.wanted.batch) == ("optuna", 1)
    points = tuple((p.name, p.values) for p in frozen.points)
    judged = Objective("integer.accuracy", "bit_operations")
    again = sampler("optuna", Search(points, judged, trials=3, seed=1))
    outcomes = {o.name: o for o in small.compared}
    asked = []
    while batch := again.ask(1):
        asked += batch
        again.tell(outcomes[batch[0]])
    assert asked == small.ran
    assert asked[0] == first

    assert small.run(*FOUR, "--resume", "--seed", "2") == 2
    assert "it was started with `--seed 1`" in small.err


def test_an_objective_is_judged_before_anything_runs(small: Small) -> None:
    assert small.run("-m", "act=int8", "--objective", "integr.accuracy") == 2
    assert "did you mean `integer.accuracy`?" in small.err
    assert small.ran == []

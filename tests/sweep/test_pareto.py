"""Which points are best: against the plain definition, with ties, and where there are none."""

from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.diagnostics import QflowError
from qflow.sweep.outcome import Outcome
from qflow.sweep.results.objective import Objective
from qflow.sweep.results.pareto import front
from tests.sweep.points import broken, failed, point, six

UP = Objective("integer.accuracy", "bit_operations")
DOWN = Objective("integer.accuracy", "bit_operations", higher=False)


def names(outcomes: list[Outcome], objective: Objective = UP) -> list[str]:
    return [o.name for o in front(outcomes, objective)]


def beats(a: Outcome, b: Outcome, higher: bool) -> bool:
    sign = 1 if higher else -1
    more = sign * dict(a.metrics)["integer.accuracy"] - sign * dict(b.metrics)["integer.accuracy"]
    less = b.bit_operations - a.bit_operations
    return more >= 0 and less >= 0 and (more > 0 or less > 0)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12),
    st.booleans(),
)
def test_the_front_is_what_nothing_beats(found: list[tuple[int, int]], higher: bool) -> None:
    points = [point(f"n={i}", metric / 8, cost) for i, (metric, cost) in enumerate(found)]
    expected = {b.name for b in points if not any(beats(a, b, higher) for a in points)}
    best = front(points, UP if higher else DOWN)
    assert {o.name for o in best} == expected
    assert [o.bit_operations for o in best] == sorted(o.bit_operations for o in best)


def test_of_six_points_equal_ones_are_both_best() -> None:
    assert names(six()) == [
        "act=int8,weight=int8", "act=int8,weight=int16", "act=int16,weight=int8",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], []),
        ([point("n=1", 0.5)], ["n=1"]),
        ([failed("n=1"), failed("n=2")], []),
        ([broken("n=1", 0.5)], []),
        ([broken("n=1", 0.9, 1), point("n=2", 0.5, 2)], ["n=2"]),
        ([point("n=1", 0.5), point("n=2", 0.5)], ["n=1", "n=2"]),
        ([point("n=1", nan, 1), point("n=2", inf, 2), point("n=3", 0.1, 3)], ["n=3"]),
        ([point("n=1", None), point("n=2", 0.5)], ["n=2"]),
        # numbers one apart in their last digit are not the same
        ([point("n=1", 0.1 + 0.2), point("n=2", 0.3)], ["n=1"]),
        ([point("n=1", 0.5, 10**18), point("n=2", 0.5, 10**18 + 1)], ["n=1"]),
    ],
)
def test_few_points(outcomes: list[Outcome], expected: list[str]) -> None:
    assert names(outcomes) == expected


def test_without_an_objective_nothing_is_best() -> None:
    assert front(six(), None) == ()


def test_the_objective_where_nothing_is_said() -> None:
    assert Objective.parse(None, six()) == UP
    assert Objective.parse(None, []) is None
    assert Objective.parse(None, [failed("n=1")]) is None
    only = [point("n=1", metrics=(("onnxruntime.f1", 0.5), ("float.f1", 0.5)))]
    assert Objective.parse(None, only) == Objective("float.f1", "bit_operations")


def test_the_cost_where_nothing_is_said_is_one_that_differs() -> None:
    same = [point("n=1", 0.5, weight_bytes=1), point("n=2", 0.5, weight_bytes=2)]
    assert Objective.parse(None, same) == Objective("integer.accuracy", "weight_bytes")
    assert Objective.parse(None, same[:1]) == UP


def test_an_objective_that_is_named() -> None:
    assert Objective.parse("float.accuracy", six(), "weight_bytes") == Objective(
        "float.accuracy", "weight_bytes"
    )
    lower = Objective.parse(
        "integer.accuracy", six(), higher=lambda name: name != "integer.accuracy"
    )
    assert lower == DOWN


@pytest.mark.parametrize(
    ("text", "against", "said"),
    [
        ("integr.accuracy", None, "did you mean `integer.accuracy`?"),
        ("accuracy", None, "there is `float.accuracy`, `integer.accuracy`"),
        (None, "bytes", "did you mean `weight_bytes`?"),
        (None, "", "there is `bit_operations`, `weight_bytes`"),
    ],
)
def test_an_objective_that_nothing_measures(
    text: str | None, against: str | None, said: str
) -> None:
    with pytest.raises(QflowError, match="QF328") as caught:
        Objective.parse(text, six(), against)
    assert said in str(caught.value)

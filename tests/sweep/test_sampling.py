"""Samplers: every point once, the same search for the same answers, and what a search finds."""

import sys
from collections.abc import Callable
from itertools import product
from unittest import mock

import pytest

from qflow import registry
from qflow.diagnostics import QflowError
from qflow.sweep.outcome import Outcome
from qflow.sweep.results.objective import Objective
from qflow.sweep.sampling import KIND, Search, Values, sampler
from tests.sweep.points import broken, failed, point

UP = Objective("integer.accuracy", "bit_operations")


def grid(**axes: list[str]) -> tuple[tuple[str, Values], ...]:
    rows = [tuple(zip(axes, row, strict=True)) for row in product(*axes.values())]
    return tuple((",".join(f"{n}={v}" for n, v in row), row) for row in rows)


POINTS = grid(a=["x", "y"], b=["p", "q", "r"], n=[str(i) for i in range(20)])


def measured(name: str) -> Outcome:
    """A third of the grid fails, an axis is no use, and one has a best half."""
    values = dict(dict(POINTS)[name])
    n = int(values["n"])
    if values["b"] == "r":
        return failed(name)
    found = 0.9 + 0.004 * n - 0.05 * (values["a"] == "x")
    if n > 18:
        return broken(name, found, 1000 * n)
    return point(name, found, 1000 * (n + 1) * (1 + (values["b"] == "q")))


def searched(search: Search, answer: Callable[[str], Outcome], size: int = 4) -> list[list[str]]:
    """The batches a search with Optuna asked for, answered in another order."""
    made = sampler("optuna", search)
    found: list[list[str]] = []
    while batch := list(made.ask(size)):
        found.append(batch)
        for name in reversed(batch):
            made.tell(answer(name))
    return found


def flat(batches: list[list[str]]) -> list[str]:
    return [name for batch in batches for name in batch]


@pytest.mark.parametrize("name", registry.names(KIND))
@pytest.mark.parametrize("size", [1, 4])
def test_every_point_is_asked_for_once(name: str, size: int) -> None:
    points = grid(a=["x", "y"], n=["1", "2", "3"])
    made = sampler(name, Search(points, UP))
    asked: list[str] = []
    while batch := list(made.ask(size)):
        asked += batch
        for one in batch:
            made.tell(point(one, 0.5))
    assert sorted(asked) == sorted(n for n, _ in points)
    assert list(made.ask(size)) == []


def test_the_grid_is_in_order_and_cut_to_its_trials() -> None:
    made = sampler("grid", Search(POINTS, trials=3))
    assert made.ask(1) == [name for name, _ in POINTS[:3]]
    made.tell(point("a=x,b=p,n=0"))
    assert made.ask(1) == []


def test_a_search_is_the_same_whichever_point_ends_first() -> None:
    search = Search(POINTS, UP, trials=16, seed=3)
    first = searched(search, measured)
    made, second = sampler("optuna", search), []
    while batch := list(made.ask(4)):
        second.append(batch)
        for name in batch:
            made.tell(measured(name))
    assert first == second
    assert len(flat(first)) == len({*flat(first)}) == 16
    assert searched(Search(POINTS, UP, trials=16, seed=4), measured) != first


def test_a_search_that_was_broken_off_goes_on_as_it_would_have() -> None:
    search = Search(POINTS, UP, trials=12)
    whole = searched(search, measured)
    there = {*flat(whole[:2])}
    ran: list[str] = []

    def answer(name: str) -> Outcome:
        if name not in there:
            ran.append(name)
        return measured(name)

    assert searched(search, answer) == whole
    assert sorted(ran) == sorted(flat(whole[2:]))


def test_a_search_finds_more_than_chance() -> None:
    """A sixth of the grid is worth anything; points that fail must not draw it there."""
    found = flat(searched(Search(POINTS, UP, trials=30), measured, 2))
    assert sum(name.startswith("a=y,b=p") for name in found) >= 2 * 30 / 6


def test_points_that_are_no_product_are_searched_by_name() -> None:
    points = tuple((f"a={i},b={i}", (("a", str(i)), ("b", str(i)))) for i in range(6))
    asked = flat(searched(Search(points, UP), lambda name: point(name, 0.5), 2))
    assert sorted(asked) == sorted(name for name, _ in points)


def test_a_sampler_that_is_not_there() -> None:
    with pytest.raises(QflowError, match="did you mean `optuna`") as caught:
        sampler("optna", Search(POINTS))
    assert [d.code for d in caught.value.diagnostics] == ["QF110"]


def test_a_search_needs_an_objective_and_the_package() -> None:
    with pytest.raises(QflowError, match="QF328"):
        sampler("optuna", Search(POINTS))
    with (
        mock.patch.dict(sys.modules, {"optuna": None}),
        pytest.raises(QflowError, match=r"QF405.*\n.*qflow\[optuna\]"),
    ):
        sampler("optuna", Search(POINTS, UP))

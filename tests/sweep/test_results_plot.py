"""The plot of a sweep: what it says, that labels leave each other alone, and the same bytes."""

import sys
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.sweep.outcome import Outcome
from qflow.sweep.results import plot
from qflow.sweep.results.objective import Objective
from qflow.sweep.results.pareto import front
from qflow.sweep.results.picture import Picture, picture
from qflow.sweep.results.places import Box, Wanted, place
from tests.sweep.points import broken, failed, point, six

UP = Objective("integer.accuracy", "bit_operations")


def pictured(outcomes: list[Outcome], objective: Objective = UP) -> Picture:
    found = picture("digits.qf", outcomes, front(outcomes, objective), objective)
    assert found is not None
    return found


def test_what_the_picture_of_six_points_says() -> None:
    found = pictured(six())
    assert (found.across, found.up) == (
        "bit operations of one sample (bit-ops)", "integer.accuracy (%)",
    )  # fmt: skip
    assert [(d.kind, d.label) for d in found.dots] == [
        ("broken", "int8, int4"), ("best", "int8, int8"), ("best", "int8, int16"),
        ("beaten", "int16, int4"), ("best", "int16, int8"),
    ]  # fmt: skip
    assert found.labels == "labels: act, weight"
    assert found.front == ((64.0, 97.0), (128.0, 98.0), (128.0, 98.0))
    assert found.reference == 99.0
    assert found.notes == ("not shown: act=int16,weight=int16 (QF403)",)


def test_of_many_points_only_the_best_have_labels() -> None:
    found = pictured([point(f"n={i}", (i * 7 % 20) / 20, i + 1) for i in range(20)])
    assert {d.kind for d in found.dots if d.label} == {"best"}
    assert all(d.label for d in found.dots if d.kind == "best")


def test_long_names_are_cut_and_many_failures_counted() -> None:
    outcomes = [point(f"path={'x' * 80},n={i}", 0.5, i + 1) for i in range(2)]
    outcomes += [failed(f"n={i}") for i in range(9)]
    found = pictured(outcomes)
    assert all(len(line) <= 24 for d in found.dots for line in d.label.split("\n"))
    assert "5 more" in " ".join(found.notes)
    assert all(len(line) <= 110 for line in found.notes)


def test_there_is_no_picture_without_points() -> None:
    assert picture("x.qf", [failed("n=1")], (), UP) is None
    assert picture("x.qf", [point("n=1", float("nan"))], (), UP) is None


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 300), st.integers(5, 90)), max_size=15)
)
def test_labels_cover_nothing(wanted: list[tuple[int, int, int]]) -> None:
    labels = [Wanted(x, y, width, 12) for x, y, width in wanted]
    taken = [Box(x - 3, y - 3, x + 3, y + 3) for x, y, _ in wanted]
    inside = Box(0, 0, 400, 300)
    boxes = [p.box for p in place(labels, taken, inside, 6) if p is not None]
    assert all(inside.holds(box) for box in boxes)
    assert not any(a.meets(b) for a, b in combinations(boxes, 2))
    assert not any(a.meets(b) for a in boxes for b in taken)


def test_a_label_stands_beside_its_point_where_it_can() -> None:
    (placed,) = place([Wanted(100, 100, 40, 10)], [Box(97, 97, 103, 103)], Box(0, 0, 400, 300), 6)
    assert placed is not None
    assert placed.near
    assert placed.box == Box(106, 95, 146, 105)


def test_drawings_are_the_same_bytes_whatever_the_user_has_set() -> None:
    import matplotlib

    png, svg = plot.draw(pictured(six()))
    assert png.startswith(b"\x89PNG")
    assert b"Matplotlib" not in png
    assert b"<dc:date>" not in svg
    with matplotlib.rc_context({"font.size": 30, "savefig.dpi": 20, "axes.facecolor": "red"}):
        assert plot.draw(pictured(six())) == (png, svg)


@pytest.mark.parametrize(
    "outcomes",
    [
        [point("n=$x^{", 0.0, 0)],
        [broken("n=1", 0.5, 1), point("n=2", 0.6, 10**9)],
    ],
    ids=["nothing but zeros", "far apart"],
)
def test_points_that_leave_no_range_are_drawn(outcomes: list[Outcome]) -> None:
    png, svg = plot.draw(pictured(outcomes))
    assert len(png) > 5_000
    assert svg.rstrip().endswith(b"</svg>")


def test_nothing_here_imports_matplotlib_on_its_own() -> None:
    modules = [n for n in sys.modules if n.startswith("qflow.sweep.results")]
    assert modules
    for name in modules:
        assert not any(
            getattr(v, "__name__", "").startswith("matplotlib")
            for v in vars(sys.modules[name]).values()
        )

"""Points of sweeps: their order, names, settings, and what is refused before any is compiled."""

import pytest

from qflow.compile.points import Point, points
from qflow.compile.sweeps import MOST_POINTS
from qflow.diagnostics import QflowError
from qflow.lang.parse import parse
from qflow.lang.program import Program, program_of

TEXT = """qflow 1

param bits: dtype    = int8 in [int8, int16]
param top:  int      = 4    in 0..64
param rate: float    = 0.1
param fast: bool     = true
param name: string   = "x"
param obs:  observer = mse

sweep grid { bits = [int8, int16]; top = [0, 4, 8] }
sweep pairs zip { top = [1, 2]; rate = [1e-3, 2] }
sweep wrong { bits = [int4] }
"""


def program() -> Program:
    parsed = parse(TEXT, "x.qf")
    assert parsed.file is not None
    return program_of(parsed.file)


def names(*args: object, **settings: str) -> list[str]:
    sweep, overrides = args
    return [p.name for p in points(program(), sweep, overrides, settings)]  # type: ignore[arg-type]


def refused(*args: object, **settings: str) -> list[str]:
    with pytest.raises(QflowError) as caught:
        names(*args, **settings)
    return [d.code for d in caught.value.diagnostics]


def test_the_last_list_changes_fastest() -> None:
    assert names("grid", {}) == [
        "bits=int8,top=0", "bits=int8,top=4", "bits=int8,top=8",
        "bits=int16,top=0", "bits=int16,top=4", "bits=int16,top=8",
    ]  # fmt: skip


def test_zip_pairs_the_lists() -> None:
    assert names("pairs", {}) == ["top=1,rate=0.001", "top=2,rate=2.0"]


def test_settings_are_those_of_all_points_and_the_swept_ones() -> None:
    first = points(program(), "grid", {}, {"fast": "false"})[0]
    assert first == Point(
        "bits=int8,top=0", (("fast", "false"), ("bits", "int8"), ("top", "0")), ("bits", "top")
    )


def test_overrides_alone_and_with_a_sweep() -> None:
    assert names(None, {"top": ("1", "2"), "fast": ("true", "false")}) == [
        "top=1,fast=true", "top=1,fast=false", "top=2,fast=true", "top=2,fast=false",
    ]  # fmt: skip
    assert names("pairs", {"bits": ("int8",)}) == [
        "top=1,rate=0.001,bits=int8", "top=2,rate=2.0,bits=int8",
    ]  # fmt: skip


def test_without_anything_there_is_one_point() -> None:
    assert points(program(), None, {}, {"top": "3"}) == (Point("point", (("top", "3"),)),)


def test_a_value_given_twice_is_one_point() -> None:
    assert names(None, {"rate": ("1", "1.0", "2")}) == ["rate=1.0", "rate=2.0"]


def test_names_are_fit_for_folders_and_differ() -> None:
    found = points(program(), None, {"name": ("a/b", "a:b", "c" * 200, '"q"', "A/B")}, {})
    shown = [p.name for p in found]
    assert len({n.lower() for n in shown}) == 5
    assert all(len(n) < 100 and not set(n) & set('/:"') for n in shown)
    assert [dict(p.settings)["name"] for p in found] == ["a/b", "a:b", "c" * 200, "q", "A/B"]


@pytest.mark.parametrize(
    ("sweep", "overrides", "settings", "codes"),
    [
        ("grd", {}, {}, ["QF110"]),
        ("wrong", {}, {}, ["QF111"]),
        (None, {"bit": ("int8",), "top": ("65", "x")}, {}, ["QF110", "QF111", "QF113"]),
        (None, {"obs": ("means",)}, {}, ["QF110"]),
        (None, {"top": ()}, {}, ["QF115"]),
        ("grid", {"top": ("1",)}, {}, ["QF114"]),
        ("grid", {}, {"bits": "int8"}, ["QF114"]),
        (None, {"top": ("1",)}, {"top": "2"}, ["QF114"]),
    ],
)
def test_everything_wrong_is_said_at_once(
    sweep: str | None, overrides: dict[str, tuple[str, ...]], settings: dict[str, str], codes: list
) -> None:
    assert sorted(refused(sweep, overrides, **settings)) == codes


def test_too_many_points_are_refused_before_they_are_made() -> None:
    many = tuple(str(n / 1000) for n in range(MOST_POINTS // 6 + 1))
    assert refused("grid", {"rate": many}) == ["QF123"]

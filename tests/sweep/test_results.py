"""What `finish` leaves in the folder of a sweep and says, and by what it compares."""

import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console as Screen

from qflow.diagnostics import Diagnostic
from qflow.engine.console import Console
from qflow.sweep.outcome import Outcome
from qflow.sweep.results import direction, finish, plot
from qflow.sweep.results.objective import Objective
from tests.sweep.points import failed, point, six

TEXT = """qflow 1

param act:    dtype = int8 in [int8, int16]
param weight: dtype = int8 in [int4, int8, int16]
"""
DRAW = plot.draw
FILES = ["pareto.png", "pareto.svg", "stages.csv", "table.csv", "table.txt"]


class Told:
    """A console that keeps what it was told."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []
        self.out = io.StringIO()
        self.console = Console(Screen(file=self.out, width=100), self._take)

    def _take(self, found: Iterable[Diagnostic]) -> None:
        self.found += found


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plot, "draw", lambda picture: (b"png", b"svg"))
    Path("x.qf").write_text(TEXT)
    return Told()


def ended(told: Told, outcomes: list[Outcome], **more: Any) -> list[str]:
    """Names of the files there are afterwards."""
    finish(Path("s/act"), outcomes, Path("x.qf"), told.console, **more)
    found = Path("s/act").rglob("*")
    return sorted(p.relative_to("s/act").as_posix() for p in found if p.is_file())


def test_everything_is_written_and_said(told: Told) -> None:
    assert ended(told, six()) == [
        "pareto.png", "pareto.svg", "patches/act=int16,weight=int8.patch",
        "patches/act=int8,weight=int16.patch", "stages.csv", "table.csv", "table.txt",
    ]  # fmt: skip
    text = told.out.getvalue()
    assert "s/act/: table.txt, table.csv, pareto.png, pareto.svg" in text
    assert "patches     none for act=int8,weight=int8: x.qf is that already" in text
    assert "s/act/patches/: act=int8,weight=int16.patch, act=int16,weight=int8.patch" in text
    assert told.found == []
    # however wide the terminal is, the log has the table of the file
    assert Path("s/act/table.txt").read_text() in told.console.log.waiting


def test_the_same_points_leave_the_same_files(told: Told) -> None:
    ended(told, six())
    before = {name: Path("s/act", name).read_bytes() for name in FILES}
    ended(told, six())
    assert {name: Path("s/act", name).read_bytes() for name in FILES} == before


def test_what_an_earlier_sweep_left_goes(told: Told) -> None:
    ended(told, six())
    Path("s/act/patches").mkdir(exist_ok=True)
    Path("s/act/patches/act=int4.patch").write_text("")
    assert ended(told, [failed("act=int8")]) == ["stages.csv", "table.csv", "table.txt"]
    assert ended(told, [point("act=int8", 0.5)], patched=False) == FILES


def test_without_matplotlib_the_rest_goes_on(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(told, six())
    monkeypatch.setattr(plot, "draw", DRAW)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert not {"pareto.png", "pareto.svg"} & {*ended(told, six())}
    (said,) = (d for d in told.found if d.code == "QF405")
    assert (said.severity, said.help) == ("note", "pip install 'qflow[plot]'")


def test_an_objective_that_was_asked_for(told: Told) -> None:
    asked = Objective("float.accuracy", "weight_bytes")
    ended(told, six(), objective=asked)
    assert "* best: float.accuracy, higher is better, against weights" in told.out.getvalue()


def test_the_direction_of_metrics(told: Told, tmp_path: Path) -> None:
    assert direction.own("integer.accuracy")
    assert direction.own("integer.of_somebody_else")
    (tmp_path / "mine_sweep.py").write_text("class Error:\n    higher_is_better = False\n")
    Path("x.qf").write_text(
        f'{TEXT}data val {{ loader = "mine_sweep:data"; metric = "mine_sweep:Error" }}\n'
    )
    metrics = (("integer.Error", 2.0), ("float.Error", 1.0))
    ended(told, [point("act=int8", metrics=metrics)])
    assert "* best: integer.Error, lower is better" in told.out.getvalue()
    Path("mine_sweep.py").unlink()
    sys.modules.pop("mine_sweep")

"""Tables and sheets of sweeps: what is told, that it fits, and that it is the same every time."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from qflow.sweep.outcome import Outcome
from qflow.sweep.results import sheet, table, units
from qflow.sweep.results.objective import Objective
from qflow.sweep.results.pareto import front
from tests.sweep.points import broken, failed, point, six

UP = Objective("integer.accuracy", "bit_operations")
TABLE = """\
   act    weight  float %  integer %  drop %  bit operations bit-ops  weights B  verdict
-----------------------------------------------------------------------------------------
   int8   int4      99.00      90.00    9.00                      32          7  1 broken
*  int8   int8      99.00      97.00    2.00                      64          7  ok
*  int8   int16     99.00      98.00    1.00                     128          7  ok
   int16  int4      99.00      95.00    4.00                      64          7  ok
*  int16  int8      99.00      98.00    1.00                     128          7  ok
   int16  int16                                                                  QF403

* best: integer.accuracy, higher is better, against bit operations of one sample
act=int8,weight=int4: a <= 1 is false
act=int16,weight=int16: QF403: a value that is not finite
"""


def shown(outcomes: Sequence[Outcome], width: int, objective: Objective | None = UP) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None)
    console.print(table.screen(outcomes, front(outcomes, objective), objective, width))
    return out.getvalue().splitlines()


def rows(outcomes: Sequence[Outcome], objective: Objective | None = UP) -> list[dict[str, str]]:
    text = sheet.table(outcomes, front(outcomes, objective), objective)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_table_of_six_points() -> None:
    assert table.plain(six(), front(six(), UP), UP) == TABLE


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_terminal_shows_every_point_whole(width: int) -> None:
    stages = (("trace", "ran", 1.5), ("prepare", "reused", 0.0), ("verify", "resumed", 2.0))
    points = [replace(o, stages=stages) for o in six()]
    lines = shown(points, width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert text.count("QF403") == 2
    assert all(value in text for value in ("97.00", "95.00", "1 broken", "128", "int16"))
    assert ("2 of 2" in text) == (width >= 80)
    assert sum(line.startswith("*") for line in lines) == 3 + 1


def test_long_values_go_on_lines_of_their_own() -> None:
    points = [point(f"path={'x/' * 40}{i},top={i}", 0.5 + i / 8) for i in range(3)]
    lines = shown(points, 80)
    assert max(map(len, lines)) <= 80
    assert "path=x/x/" in "\n".join(lines)
    assert all(f"top={i}" in "\n".join(lines) for i in range(3))


def test_of_many_points_the_best_are_shown() -> None:
    points = [point(f"n={i}", i / 1000, 10 if i == 300 else 2000 - i) for i in range(400)]
    lines = shown(points, 80)
    assert any(line.startswith("*") and " 300 " in line for line in lines)
    assert lines[-1] == "and 340 points more in table.txt"


def test_a_terminal_is_not_commanded_by_values() -> None:
    text = "\n".join(shown([point("n=\x1b[31m[red]x[/red]", 0.5)], 80))
    assert "\x1b" not in text
    assert "\\x1b[31m[red]x[/red]" in text


def test_without_anything_measured() -> None:
    assert "no point was measured, so none is best" in shown([failed("n=1")], 80, None)
    assert "no point is best: none that is ok has a finite integer.accuracy" in table.plain(
        [broken("n=1", 0.5)], (), UP
    )
    assert table.plain([], (), None).splitlines()[-1] == "no point was measured, so none is best"


def test_a_sheet_has_every_lane_and_exact_numbers() -> None:
    found = rows(six())
    assert found[1] == {
        "point": "act=int8,weight=int8", "act": "int8", "weight": "int8",
        "float.accuracy": "0.99", "integer.accuracy": "0.97", "drop": "0.02",
        "weight_bytes": "7", "bit_operations": "64", "best": "yes", "verdict": "ok",
        "exit_code": "0", "broken": "", "failed": "",
    }  # fmt: skip
    assert (found[0]["broken"], found[0]["best"]) == ("a <= 1", "no")
    assert (found[5]["failed"], found[5]["integer.accuracy"]) == ("QF403", "")


def test_a_sheet_is_as_rfc_4180_has_it() -> None:
    awkward = 'a, "b"\nc'
    text = sheet.table([point("n=1", 0.5, broken=(awkward,))], (), UP)
    assert text.endswith("\r\n")
    assert text.replace(awkward.replace('"', '""'), "").count("\n") == 2 == text.count("\r\n")
    assert rows([point("n=1", 0.5, broken=(awkward,))])[0]["broken"] == awkward


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@sum(a1)", "'@sum(a1)"),
        ("+cmd", "'+cmd"),
        ("-2-3", "'-2-3"),
        ("\t=1", "'\t=1"),
        ("-1.5e-3", "-1.5e-3"),
        ("-7", "-7"),
        ("int8", "int8"),
    ],
)
def test_a_spreadsheet_computes_nothing(value: str, cell: str) -> None:
    named = replace(point("n=1", 0.5), values=(("n", value), ("point", value)))
    found = rows([named])[0]
    assert (found["n"], found["param.point"], found["point"]) == (cell, cell, "n=1")


def test_what_two_runs_differ_in_stands_elsewhere() -> None:
    slow = [replace(o, stages=(("trace", "ran", 1.25),)) for o in six()]
    fast = [replace(o, stages=(("trace", "reused", 0.0),)) for o in six()]
    assert sheet.table(slow, (), UP) == sheet.table(fast, (), UP)
    assert table.plain(slow, (), UP) == table.plain(fast, (), UP)
    assert sheet.stages(slow[:1]) == (
        'point,stage,how,seconds\r\n"act=int8,weight=int4",trace,ran,1.250\r\n'
    )


def test_a_metric_that_is_less_when_it_is_better() -> None:
    metrics = (("float.error", 2.5), ("integer.error", 3.0))
    found = [point("n=1", metrics=metrics), failed("n=2")]
    objective = Objective("integer.error", "weight_bytes", higher=False)
    assert rows(found, objective)[0]["drop"] == "0.5"
    text = table.plain(found, front(found, objective), objective)
    assert "3.0000" in text
    assert "integer.error, lower is better, against weights" in text


@pytest.mark.parametrize(
    ("values", "name", "shown"),
    [
        ([512], "B", "512"),
        ([46213], "KiB", "45.13"),
        ([1 << 20, 300 << 20], "MiB", "1.0"),
        ([1023 << 20], "MiB", "1023"),
    ],
)
def test_one_unit_for_a_column(values: list[int], name: str, shown: str) -> None:
    unit = units.of_cost("weight_bytes", values)
    assert (unit.name, unit.show(values[0])) == (name, shown)

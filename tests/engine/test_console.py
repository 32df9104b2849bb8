"""The console: bars on a terminal, plain lines elsewhere, everything in the log."""

from io import StringIO
from pathlib import Path

from rich.console import Console as Screen

from qflow.diagnostics import Diagnostic
from qflow.engine.console import Console
from qflow.engine.log import Log
from qflow.engine.report import report
from qflow.engine.runner import Done


def console(terminal: bool) -> tuple[Console, StringIO, list[Diagnostic]]:
    stream, told = StringIO(), []
    screen = Screen(file=stream, force_terminal=terminal, width=100)
    return Console(screen, told.extend), stream, told


def test_lines_without_a_terminal(tmp_path: Path) -> None:
    made, stream, _ = console(terminal=False)
    with made.progress("calibrate", 10, "samples") as step:
        step.advance(5)
        step.say("[half] done")
    assert stream.getvalue() == "calibrate   [half] done\n"


def test_a_bar_on_a_terminal() -> None:
    made, stream, _ = console(terminal=True)
    with made.progress("calibrate", 10, "samples") as step:
        step.advance(5, "loss 0.5")
        step.say("epoch 1")
    text = stream.getvalue()
    assert "5/10" in text
    assert "loss 0.5" in text
    assert "epoch 1" in text


def test_the_log_begins_before_its_file_is_known(tmp_path: Path) -> None:
    log = Log()
    log.line("early")
    (tmp_path / "log.txt").write_text("of the run before\n")
    log.open(tmp_path / "log.txt")
    log.line("late")
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [line.split("  ")[-1] for line in lines] == ["of the run before", "early", "late"]


def test_a_diagnostic_is_told_once() -> None:
    made, _, told = console(terminal=False)
    warning = Diagnostic("QF404", "few", severity="warning")
    made.diagnose([warning])
    made.diagnose([warning])
    assert told == [warning]
    assert made.found == [warning]


def test_a_traceback_goes_to_the_log_with_its_cause(tmp_path: Path) -> None:
    log = Log()
    log.open(tmp_path / "log.txt")
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error
    except ValueError as error:
        log.error(error)
    text = (tmp_path / "log.txt").read_text()
    assert "KeyError: 'inner'" in text
    assert "ValueError: outer" in text


def test_mismatches_cannot_be_overlooked() -> None:
    summary = {
        "metrics": {},
        "data": {"name": None, "samples": 0},
        "oracle": {"mismatches": 3, "integers": 1000},
        "integer": {
            "coverage": {
                "operators": {"integer": 1, "total": 2, "share": 0.5},
                "multiply_accumulates": {"integer": 1, "total": 4, "share": 0.25},
                "float": [{"address": "norm", "op": "layer_norm", "why": "float16 there"}],
            }
        },
    }
    stream = StringIO()
    screen = Screen(file=stream, force_terminal=True, width=100)
    screen.print(report(summary, {"trace": Done(1.25, "ran")}, ()))
    text = stream.getvalue()
    assert "\x1b[1;31mdiffer in 3 of 1,000 integers" in text
    assert "1 of 2 operators, 25.0% of 4" in text
    assert "norm (layer_norm)  float16 there" in text
    assert "1.2" in text

"""How far a sweep is: counts that move on a terminal, lines alone elsewhere."""

from io import StringIO
from pathlib import Path

from rich.console import Console as Screen

from qflow.engine.console import Console
from qflow.engine.job import JobResult
from qflow.sweep.launchers._ended import started
from qflow.sweep.progress import going


def told(folder: Path, *, terminal: bool) -> str:
    """What is printed of four points: one was there, one ends well, one fails, one runs."""
    written = StringIO()
    screen = Screen(file=written, force_terminal=terminal, width=100, color_system=None)
    jobs = {name: folder / f"{name}.json" for name in ("a", "b", "c")}
    with going(Console(screen, list), 4, [JobResult("before", 1)]) as state:
        state.begin(jobs)
        started(jobs["c"]).touch()
        stages = (("trace", "ran", 0.25), ("prepare", "reused", 0.0), ("verify", "ran", 1.0))
        state.ended(JobResult("a", 0, (), stages))
        state.ended(JobResult("b", 3, ({"code": "QF403", "severity": "error"},)))
        if state.bars is not None:
            state.bars.refresh()
    return written.getvalue()


def test_lines(tmp_path: Path) -> None:
    assert told(tmp_path, terminal=False).splitlines() == [
        "2/4         a: done, 1.2 s, 1 of 2 stages reused",
        "3/4         b: failed (QF403)",
    ]


def test_on_a_terminal(tmp_path: Path) -> None:
    shown = told(tmp_path, terminal=True)
    assert "2/4         a: done, 1.2 s, 1 of 2 stages reused" in shown
    assert "2 of 4 done, 1 running, 1 failed" in shown

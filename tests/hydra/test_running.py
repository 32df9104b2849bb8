"""What runs the points of a file is handed those that Hydra composed, and asked for the same."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qflow.compile.many import Compiled, compiled
from qflow.compile.points import Point
from qflow.diagnostics import Diagnostic, QflowError, Span
from qflow.hydra.asked import Asked
from qflow.hydra.compose import Composed
from qflow.hydra.multirun import ComposedPoint
from qflow.hydra.running import asked_of, run
from qflow.lang.parse import parse
from qflow.sweep import leader
from qflow.sweep.asked import Asked as AskedSweep
from qflow.sweep.launchers.joblib import Joblib
from qflow.sweep.wanted import Wanted

SWEEPS = Path(__file__).parent.parent / "cases" / "compile" / "sweeps" / "x.qf"


def points(*values: tuple[tuple[str, str], ...], file: Path = SWEEPS) -> list[ComposedPoint]:
    """Of a file, as if Hydra had composed it."""
    parsed = parse(SWEEPS.read_text(), SWEEPS.as_posix())
    front = compiled(SWEEPS, None, {}, {})[0].front
    return [
        ComposedPoint(
            Compiled(Point(",".join("=".join(v) for v in chosen), ()), front, chosen),
            Composed(file, parsed, {}, {}),
            Asked(),
        )
        for chosen in values
    ]


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Any, ...]]:
    seen: dict[str, tuple[Any, ...]] = {}
    for name in ("sweep", "resume"):

        def instead(*given: Any, name: str = name) -> int:
            seen[name] = given
            return 1

        monkeypatch.setattr(leader, name, instead)
    return seen


def test_the_leader_gets_them(
    handed: dict[str, tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    found = points((("a/b", "x"), ("top", "1")), (("a/b", "x"), ("top", "2")))
    assert isinstance(found[0].compiled.front.sources, dict)
    found[0].compiled.front.sources["qflow/conf/x.yaml"] = "abc\n"
    given = Asked(launcher="joblib", options=(("workers", 2),), out=Path("there"), threads=3)
    given = replace(given, search=(("sampler", "optuna"), ("trials", 2)))
    assert run(found, given) == 1
    asked, launcher, console, compiled_points = handed["sweep"]
    at = Span("qflow/conf/x.yaml", 1, 1, 1, 4)
    console.diagnose([Diagnostic("QF504", "said in a group", at, severity="warning")])
    # groups are no files of the folder one works in
    assert "1 | abc" in capsys.readouterr().err
    varied = {"a_b": ("x",), "top": ("1", "2")}
    assert asked == AskedSweep(
        SWEEPS, None, varied, {}, Path("there"), 3, composed=True, wanted=Wanted("optuna", 2)
    )
    assert (asked.name, asked.base) == ("a_b+top", Path("there"))
    assert launcher == Joblib(workers=2)
    assert compiled_points == tuple(p.compiled for p in found)
    assert run(found, replace(given, resume=True)) == 1
    assert handed["resume"][0] == asked


def test_without_anything_varied_there_is_one_point() -> None:
    assert asked_of(points(()), Asked()).name == "point"


def test_one_sweep_is_about_one_file(handed: dict[str, tuple[Any, ...]]) -> None:
    both = [*points((("f", "1"),)), *points((("f", "2"),), file=Path("y.qf"))]
    with pytest.raises(QflowError, match="QF151"):
        run(both, Asked())
    with pytest.raises(QflowError, match="no option of `basic`"):
        run(both[:1], Asked(options=(("workers", 2),)))
    assert handed == {}


def test_what_keeps_points_from_being_frozen(handed: dict[str, tuple[Any, ...]]) -> None:
    (fine,) = points((("f", "1"),))
    front = fine.compiled.front
    unmeasured = replace(front, diagnostics=(Diagnostic("QF280", "no table `sens`"),))
    wrong = replace(front, plan=None, diagnostics=(Diagnostic("QF110", "no such thing"),))
    from_trace = replace(front, plan=None, lock=None, diagnostics=())
    only_names = replace(from_trace, program=parse_names())
    for other, said in ((unmeasured, "without `-m`"), (wrong, "QF110"), (only_names, "QF115")):
        with pytest.raises(QflowError, match=said):
            run([fine, replace(fine, compiled=replace(fine.compiled, front=other))], Asked())
    assert handed == {}
    lockless = replace(fine, compiled=replace(fine.compiled, front=from_trace))
    assert run([lockless], Asked()) == 1


def parse_names() -> Any:
    from qflow.lang.program import program_of

    parsed = parse("qflow 1\nqconfig a { act.dtype = int8 }\n", "x.qf")
    assert parsed.file is not None
    return program_of(parsed.file)

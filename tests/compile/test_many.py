"""Every point of a sweep is compiled, and what is wrong is told once, with the points that have it."""

from pathlib import Path

import pytest

from qflow.compile.many import collected, compiled, said, unplanned_points
from qflow.diagnostics import Diagnostic, QflowError, Span

CASES = Path(__file__).parent.parent / "cases" / "compile"
SWEEPS = CASES / "sweeps" / "x.qf"


def test_points_in_the_order_of_the_sweep() -> None:
    found = compiled(SWEEPS, "pairs", {}, {})
    assert [p.point.name for p in found] == ["bits=int8,top=0", "bits=int16,top=4"]
    assert found[1].values == (("bits", "int16"), ("top", "4"))
    assert unplanned_points(found) is None
    plans = [p.front.plan for p in found]
    assert [dict(plan.params)["bits"] for plan in plans if plan] == ["int8", "int16"]
    # int16 falls back around a pool of this march
    notes = [note for d in said(found).diagnostics for note in d.notes]
    assert notes.count("at the point `bits=int16,top=4`") == len(said(found).diagnostics)
    assert str(SWEEPS) in said(found).sources


def test_all_that_is_wrong_comes_at_once(tmp_path: Path) -> None:
    text = SWEEPS.read_text().replace("use w8a8 with", "use w8a9 with")
    path = tmp_path / "x.qf"
    path.write_text(text)
    path.with_name("x.qf.lock").write_bytes(SWEEPS.with_name("x.qf.lock").read_bytes())
    error = unplanned_points(compiled(path, None, {"bits": ("int8", "int16")}, {"top": "1"}))
    assert error is not None
    (found,) = error.diagnostics
    # what every point has needs no word on where
    assert (found.code, [n for n in found.notes if n.startswith("at")]) == ("QF110", [])


def test_a_text_that_is_none_has_no_points(tmp_path: Path) -> None:
    path = tmp_path / "x.qf"
    path.write_text("qflow 1\nmodel {\n")
    with pytest.raises(QflowError) as caught:
        compiled(path, "pairs", {}, {})
    assert caught.value.sources == {path.as_posix(): path.read_text()}
    path.write_text('qflow 1\nuse "no.qf" as no\n')
    with pytest.raises(QflowError, match="QF302"):
        compiled(path, None, {}, {})


def test_a_wrong_sweep_is_shown_in_its_file() -> None:
    with pytest.raises(QflowError) as caught:
        compiled(SWEEPS, "pears", {"top": ("9",)}, {})
    assert [d.code for d in caught.value.diagnostics] == ["QF110", "QF111"]
    assert SWEEPS.as_posix() in caught.value.sources


def test_findings_name_few_points_and_count_many() -> None:
    at = Span("x.qf", 1, 1, 1, 2)
    some, all_ = Diagnostic("QF201", "some", at), Diagnostic("QF202", "all", at)
    names = [f"n={i}" for i in range(7)]
    found = collected({n: [all_, some] if int(n[-1]) < 6 else [all_] for n in names})
    assert found[0].notes == ("at the points `n=0`, `n=1`, `n=2`, and 3 others",)
    assert found[1] == all_
    four = collected({n: [some] if int(n[-1]) < 4 else [] for n in names})
    assert four[0].notes == ("at the points `n=0`, `n=1`, `n=2`, `n=3`",)

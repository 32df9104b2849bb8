"""The benchmark of large models compiles what it says, and prints a row for each size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import compile as benchmark
from qflow.compile.front import front
from qflow.lang import syntax


def test_its_program_has_a_plan_of_that_size(tmp_path: Path) -> None:
    found = front(benchmark.written(tmp_path, 302, 25), {})
    assert found.plan is not None
    assert found.diagnostics == ()
    assert len(found.unit.matched) == 25
    assert all(m.addresses for m in found.unit.matched)
    assert isinstance(found.unit.matched[0].rule, syntax.DefaultRule)
    # the model's own ends are no modules of the plan
    assert len(found.plan.modules) == 302


def test_it_says_the_least_of_its_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(benchmark.time, "process_time", lambda: float(next(clock)))
    found = benchmark.compiled(20, 3, rounds=2)
    assert found.seconds == {"plan": 1, "check": 1, "text": 1, "json": 1}
    assert benchmark.table([found]).splitlines()[2].split() == (["20", "3", *["1.00", "s"] * 4])


def test_what_has_no_plan_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "program", lambda modules, rules: "qflow 1\n")
    with pytest.raises(RuntimeError, match="no plan"):
        benchmark.compiled(20, 3, rounds=1)

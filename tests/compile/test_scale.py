"""Large models: work grows with modules and with rules, not with their product. Counted in calls,
for clocks say nothing on a busy machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import FrameType

import pytest

from benchmarks import compile as benchmark
from benchmarks.compile import inventory, program
from qflow import lint
from qflow.compile import Compiled, compile
from qflow.lang.parse import parse
from qflow.lang.program import Program, program_of
from qflow.plan.json import dumps
from qflow.plan.lock import Lock, render
from qflow.plan.lock_reader import parse as read_lock
from qflow.plan.text import render as plan_text
from qflow.plan.why import why

MODULES, RULES = 302, 40


@pytest.fixture(autouse=True)
def _many_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule covers a tenth of the model, not half of it."""
    monkeypatch.setattr(benchmark, "PER_STAGE", 10)


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, those written in C as well."""
    count = 0

    def counted(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@cache
def parsed(modules: int, rules: int, typo: bool) -> Program:
    text = program(modules, rules)
    found = parse(text.replace(".block", ".blokc") if typo else text, "large.qf")
    assert found.file is not None
    return program_of(found.file)


@cache
def compiled(modules: int, rules: int, typo: bool = False) -> Compiled:
    return compile(parsed(modules, rules, typo), inventory(modules), {})


def again(modules: int, rules: int, typo: bool = False) -> int:
    """Calls of a compilation; what is imported or parsed once is not counted."""
    compiled(modules, rules, typo)
    compiled.cache_clear()
    return calls(lambda: compiled(modules, rules, typo))


def test_twice_the_modules_are_twice_the_work() -> None:
    assert again(2 * MODULES, RULES) < 2.2 * again(MODULES, RULES)


def test_twice_the_rules_are_less_than_twice_the_work() -> None:
    assert again(MODULES, 2 * RULES) < 1.5 * again(MODULES, RULES)


def test_mistyped_rules_cost_no_more_per_module() -> None:
    found = compiled(MODULES, RULES, True)
    assert {d.code for d in found.diagnostics} == {"QF201"}
    assert again(2 * MODULES, RULES, True) < 2.4 * again(MODULES, RULES, True)


@pytest.mark.parametrize(
    "work",
    [
        lambda found: list(lint.run(found.unit)),
        lambda found: plan_text(found.plan),
        lambda found: dumps(found.plan),
        lambda found: why(found.plan, "stage0.block7.conv", ""),
        lambda found: read_lock(render(Lock(found.unit.inventory)), "x.lock"),
    ],
    ids=["lint", "text", "json", "why", "lock"],
)
def test_what_comes_after_grows_no_faster(work: Callable[[Compiled], object]) -> None:
    small, large = compiled(MODULES, RULES), compiled(2 * MODULES, RULES)
    work(small)
    assert calls(lambda: work(large)) < 2.3 * calls(lambda: work(small)) + 1000


def test_a_budget_is_compared_with_each_rule_once() -> None:
    rules = lint.registry.load("lint", "qf207")()

    def work(modules: int) -> int:
        unit = compiled(modules, RULES).unit
        budget = unit.matched[0]
        behind = replace(budget, rule=unit.matched[1].rule)
        large = replace(
            unit,
            matched=(*unit.matched, behind),
            budgets=frozenset({behind.rule.span}),
        )
        return calls(lambda: list(rules.check(large)))

    assert work(2 * MODULES) < 2.3 * work(MODULES)

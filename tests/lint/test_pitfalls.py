"""Each of the thirty pitfalls is found where it is, and not where it is not."""

from importlib import import_module

import pytest

from qflow import lint, registry
from qflow.diagnostics.codes import CODES

EVERY = tuple(range(1, 31))


@pytest.mark.parametrize("number", EVERY)
def test_found_where_it_is(number: int) -> None:
    found = import_module(f"tests.lint.pitfalls.p{number:02}").wrong()
    mine = [d for d in found if d.code == f"QF7{number:02}"]
    assert mine, found
    assert all(d.help for d in mine)
    assert all(d.severity != "error" for d in mine)


@pytest.mark.parametrize("number", EVERY)
def test_not_found_where_it_is_not(number: int) -> None:
    found = import_module(f"tests.lint.pitfalls.p{number:02}").right()
    assert [d for d in found if d.code.startswith("QF7")] == []


@pytest.mark.parametrize("number", EVERY)
def test_explained(number: int) -> None:
    rule = registry.load("lint", f"qf7{number:02}")
    assert rule.__doc__ is not None
    for part in ("Why:", "How to mend:", "Anti-pattern:", "Best practice:"):
        assert part in rule.__doc__
    assert CODES[f"QF7{number:02}"].startswith(f"P{number}: ")
    checks = ("check", "check_model", "check_script")
    assert any(hasattr(rule, name) for name in checks)


def test_there_are_no_others() -> None:
    rules = [n for n in lint.names() if n.startswith("qf7")]
    assert rules == [f"qf7{n:02}" for n in EVERY]

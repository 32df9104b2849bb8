"""lint: findings about a file, a prepared model or a script: one rule per file, named by its id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from qflow import registry
from qflow.diagnostics import Diagnostic

if TYPE_CHECKING:
    from qflow.compile.unit import Unit
    from qflow.lint._script import Script
    from qflow.plan.subject import Subject


class Rule(Protocol):
    """What a file of this folder defines, qf203.py the class Qf203: any of three methods.

    `check` reads what the compiler found out about a .qf file, `check_model` what is known of a
    model (prepared, or as a lock has it) or of a checkpoint, `check_script` the text of a Python
    file. `said_by` names ids under which others report the same: one cause is reported once.
    """

    said_by: tuple[str, ...] = ()

    def check(self, unit: Unit) -> Iterable[Diagnostic]: ...

    def check_model(self, subject: Subject) -> Iterable[Diagnostic]: ...

    def check_script(self, script: Script) -> Iterable[Diagnostic]: ...


def names() -> tuple[str, ...]:
    """Every rule; the other files of this folder bring them together."""
    return tuple(n for n in registry.names("lint") if re.fullmatch(r"qf\d+", n))


def run(unit: Unit) -> Iterator[Diagnostic]:
    """Every rule, on what the compiler found out about a file."""
    from qflow.lint._unit_subject import subject_of

    for rule in _having("check"):
        yield from rule.check(unit)
    yield from run_model(subject_of(unit))


def run_model(subject: Subject) -> Iterator[Diagnostic]:
    """Every rule that looks at a model or a checkpoint."""
    for rule in _having("check_model"):
        if subject.said.isdisjoint(getattr(rule, "said_by", ())):
            yield from rule.check_model(subject)


def repeats(found: Diagnostic, said: Iterable[Diagnostic]) -> bool:
    """Whether a finding of a rule says again what was said under another id already."""
    rule = registry.load("lint", found.code.lower())
    return not {d.code for d in said}.isdisjoint(getattr(rule, "said_by", ()))


def run_script(script: Script) -> Iterator[Diagnostic]:
    """Every rule that reads Python text; nothing of it is executed."""
    for rule in _having("check_script"):
        yield from rule.check_script(script)


def _having(method: str) -> Iterator[Any]:
    for name in names():
        rule = registry.load("lint", name)
        if hasattr(rule, method):
            yield rule()

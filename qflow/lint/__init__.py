"""lint: findings about a file that compiles: one rule per file, named by its id, run by `check`."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from qflow import registry
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic


class Rule(Protocol):
    """What a file of this folder defines: qf203.py has the class Qf203."""

    def check(self, unit: Unit) -> Iterable[Diagnostic]: ...


def run(unit: Unit) -> Iterator[Diagnostic]:
    """Every rule, on what the compiler found out about a file."""
    for name in registry.names("lint"):
        rule: Rule = registry.load("lint", name)()
        yield from rule.check(unit)

"""unsupported: what the language has and this version cannot do yet, each at its place."""

from collections.abc import Iterator

from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.lang.program import Program


def report(unit: Unit) -> Unit:
    """QF120 for every such construct."""
    return unit.having(_floats(unit.program))


def _floats(program: Program) -> Iterator[Diagnostic]:
    for rule in (r for q in program.quantizes for r in q.rules):
        if not isinstance(rule, syntax.ApplyRule) and isinstance(rule.action, syntax.FloatAction):
            message = "a float island, which `float` asks for, is not supported yet"
            yield Diagnostic("QF120", message, at=rule.span)

"""QF205: two rules with the same selector."""

from collections.abc import Iterable

from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.lang import syntax


class Qf205:
    """Two rules select the same modules by the same words; a reader expects one.

    Anti-pattern:

        match "head.**" use w8a16
        match "head.**" patch { act.observer = percentile }

    Best practice:

        match "head.**" use w8a16 with { act.observer = percentile }
    """

    def check(self, unit: Unit) -> Iterable[Diagnostic]:
        first: dict[object, Span] = {}
        for rule in (m.rule for m in unit.matched):
            if not isinstance(rule, syntax.MatchRule):
                continue
            key = (frozenset(rule.selector.atoms), frozenset(rule.selector.excluded))
            if key in first:
                yield Diagnostic(
                    "QF205",
                    "an earlier rule has the same selector",
                    at=rule.selector.span,
                    also=(Label(first[key], "this one"),),
                    help="make one rule of the two",
                    severity="warning",
                )
            first.setdefault(key, rule.selector.span)

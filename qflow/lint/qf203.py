"""QF203: a rule that later rules override everywhere."""

from collections.abc import Iterable

from qflow.compile.unit import Matched, Unit
from qflow.diagnostics import Diagnostic, Label
from qflow.lang import syntax


class Qf203:
    """Nothing this rule says is left in the decision of any module it matches.

    Anti-pattern: the broad rule stands behind the exception.

        match "head.cls" patch { act.dtype = int16 }
        match "head.**"  use w8a8

    Best practice: exceptions come last.

        match "head.**"  use w8a8
        match "head.cls" patch { act.dtype = int16 }
    """

    def check(self, unit: Unit) -> Iterable[Diagnostic]:
        for place, matched in enumerate(unit.matched):
            rule = matched.rule
            later = unit.matched[place + 1 :]
            if not isinstance(rule, syntax.MatchRule) or _is_repeated(rule, later):
                continue
            if isinstance(rule.action, syntax.PatchAction) and not rule.action.fields:
                # it overrides nothing and nothing overrides it: QF206
                continue
            decided = [a for a in matched.addresses if a in unit.decisions]
            alive = any(d.by == rule.span for a in decided for d in unit.decisions[a].values())
            if decided and not alive:
                yield _finding(matched, decided, later)


def _is_repeated(rule: syntax.MatchRule, later: tuple[Matched, ...]) -> bool:
    """The same selector again: that is QF205, and one cause is reported once."""
    rules = [m.rule for m in later]
    return any(isinstance(r, syntax.MatchRule) and r.selector == rule.selector for r in rules)


def _finding(matched: Matched, decided: list[str], later: tuple[Matched, ...]) -> Diagnostic:
    overriding = [m.rule for m in later if not set(decided).isdisjoint(m.addresses)]
    return Diagnostic(
        "QF203",
        "later rules override everything this rule says",
        at=matched.rule.span,
        also=tuple(Label(r.span, "overrides it") for r in overriding),
        help="delete it, or move it behind them",
        severity="warning",
    )

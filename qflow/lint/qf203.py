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
        rules = [m.rule for m in unit.matched]
        last = {r.selector: n for n, r in enumerate(rules) if isinstance(r, syntax.MatchRule)}
        # a `default` overrides all above it: that is QF210
        first = max(
            (n for n, r in enumerate(rules) if isinstance(r, syntax.DefaultRule)), default=0
        )
        for place, matched in enumerate(unit.matched):
            rule = matched.rule
            # the same selector again is QF205, and one cause is reported once
            if not isinstance(rule, syntax.MatchRule) or place < max(first, last[rule.selector]):
                continue
            if isinstance(rule.action, syntax.PatchAction) and not rule.action.fields:
                # it overrides nothing and nothing overrides it: QF206
                continue
            decided = [a for a in matched.addresses if a in unit.decisions]
            # modules that the same rules decided have one qconfig between them
            qconfigs = {id(unit.decisions[a]): unit.decisions[a] for a in decided}.values()
            alive = any(d.by == rule.span for fields in qconfigs for d in fields.values())
            if decided and not alive:
                places = {n for a in decided for n in unit.rules_of[a] if n > place}
                yield _finding(matched, [unit.matched[n] for n in sorted(places)])


def _finding(matched: Matched, overriding: list[Matched]) -> Diagnostic:
    return Diagnostic(
        "QF203",
        "later rules override everything this rule says",
        at=matched.rule.span,
        also=tuple(Label(m.rule.span, "overrides it") for m in overriding),
        help="delete it, or move it behind them",
        severity="warning",
    )

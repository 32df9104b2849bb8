"""QF206: a rule that says nothing about any module it matches."""

from collections.abc import Iterable

from qflow.compile.unit import Matched, Unit
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan import op_facts


class Qf206:
    """A patch that is empty, or sets fields of a weight where no matched module has one.

    Anti-pattern: the selector names the activation, the weight is that of the convolution.

        match "stem.relu" patch { weight.dtype = int16 }

    Best practice:

        match "stem.conv" patch { weight.dtype = int16 }
    """

    def check(self, unit: Unit) -> Iterable[Diagnostic]:
        for matched in unit.matched:
            rule = matched.rule
            if not matched.addresses or not isinstance(rule.action, syntax.PatchAction):
                continue
            names = [f.name for f in rule.action.fields]
            if not names:
                yield _finding(matched, "this patch is empty", "delete the rule")
            elif all(n.startswith("weight.") for n in names) and not _has_gemm(unit, matched):
                message = "no module this rule matches has a weight, and it sets nothing else"
                yield _finding(matched, message, "select the conv or linear modules")


def _has_gemm(unit: Unit, matched: Matched) -> bool:
    assert unit.inventory is not None
    return any(
        op_facts.weight_axis(unit.inventory.by_address[a].op) is not None for a in matched.addresses
    )


def _finding(matched: Matched, message: str, help: str) -> Diagnostic:
    return Diagnostic("QF206", message, at=matched.rule.span, help=help, severity="warning")

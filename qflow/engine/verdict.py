"""verdict: whether a claim holds, from the value that was measured."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qflow.plan.plan import ClaimPlan, Plan

_OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Verdict:
    claim: ClaimPlan
    value: Any
    """What was measured; None for a claim the plan decided."""
    holds: bool
    against: Any = None
    """What was measured on the right side; None where the claim has a value there."""

    @property
    def word(self) -> str:
        """`proved`, `holds`, `fails` or, for a `warn`, `warning`."""
        if self.holds:
            return "proved" if self.claim.proved else "holds"
        return "fails" if self.claim.severity == "assert" else "warning"


def compares(symbol: str, found: Any, wanted: Any) -> Any:
    """`found symbol wanted`; element by element for arrays."""
    return _OPERATORS[symbol](found, wanted)


def judge(claim: ClaimPlan, value: Any) -> Mapping[str, Any]:
    """`{"value", "holds"}` of a measured claim."""
    return {
        "value": value,
        "holds": bool(compares(claim.operator, value, claim.value)) != claim.negated,
    }


def verdicts(plan: Plan, measured: Mapping[str, Mapping[str, Any]]) -> tuple[Verdict, ...]:
    """One per claim, in the order of the file. `measured` is by the text of the claim."""
    return tuple(
        Verdict(c, None, c.proved) if c.proved is not None else _verdict(c, measured[c.text])
        for c in plan.claims
    )


def _verdict(claim: ClaimPlan, found: Mapping[str, Any]) -> Verdict:
    return Verdict(claim, found["value"], bool(found["holds"]), found.get("against"))

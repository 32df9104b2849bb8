"""claims: what the `check` block says of the finished model, with every name resolved."""

from dataclasses import replace

from qflow import registry
from qflow.compile import facts, measured
from qflow.compile.measured import MEASURES, Side
from qflow.compile.unit import Unit
from qflow.compile.values import describe, scalar, unknown
from qflow.diagnostics import Diagnostic
from qflow.dtype import DTYPES
from qflow.lang import syntax
from qflow.plan.plan import ClaimPlan, Measured, Scalar
from qflow.plan.show import scalar as shown

SCALE = "scale"
DTYPE = "dtype"


def read(unit: Unit) -> Unit:
    """Sets `claims`, without those that name something unknown. Needs the model and the exports."""
    claims: list[ClaimPlan] = []
    found: list[Diagnostic] = []
    for assertion in (a for c in unit.program.checks[:1] for a in c.assertions):
        match assertion.claim:
            case syntax.IsClaim():
                claim = _is(assertion, assertion.claim, unit)
            case syntax.CompareClaim():
                claim = _compare(assertion, assertion.claim, unit)
        if isinstance(claim, ClaimPlan):
            claims.append(claim)
        else:
            found.append(claim)
    return replace(unit, claims=tuple(claims)).having(found)


def _is(assertion: syntax.Assertion, claim: syntax.IsClaim, unit: Unit) -> ClaimPlan | Diagnostic:
    """`output.logits is int32`, `head.cls is int8`."""
    if isinstance(claim.subject, syntax.Call):
        message = "`is` takes an output or an address, not a measure"
        return Diagnostic("QF113", message, at=claim.subject.span)
    if claim.dtype not in DTYPES:
        return unknown("dtype", claim.dtype, DTYPES, claim.span)
    subject = claim.subject.value
    outputs = [f"output.{p.name}" for p in unit.model.outputs] if unit.model else [subject]
    if subject.startswith("output.") and subject not in outputs:
        return unknown("output", subject, outputs, claim.subject.span)
    return ClaimPlan(
        severity=assertion.severity,
        text=f"{subject} is {claim.dtype}",
        measure=DTYPE,
        args=(subject,),
        operator="==",
        value=claim.dtype,
        negated=False,
        data=assertion.data,
        at=assertion.span,
    )


def _compare(
    assertion: syntax.Assertion, claim: syntax.CompareClaim, unit: Unit
) -> ClaimPlan | Diagnostic:
    """`no scale == 1.0`, `cosine(output.logits) >= 0.99 on val`, `integer.x >= float.x on val`."""
    right = _right(assertion, claim, unit)
    if isinstance(right, Diagnostic):
        return right
    subject = claim.subject
    if isinstance(subject, syntax.Name) and not measured.is_of_lane(subject.value, unit):
        if subject.value != SCALE:
            return _no_subject(subject)
        if isinstance(right, (bool, Side)):
            return Diagnostic("QF113", "a scale is a number", at=claim.value.span)
        return _claim(assertion, claim, Side(SCALE, ()), right)
    left = measured.side(subject, assertion.data, unit)
    if isinstance(left, Diagnostic):
        return left
    if isinstance(right, Side) and _truth(left) != _truth(right):
        message = f"`{left.text}` and `{right.text}` cannot be compared"
        note = "one of them is a number, the other `true` or `false`"
        return Diagnostic("QF113", message, at=claim.span, notes=(note,))
    return _claim(assertion, claim, left, right)


def _right(
    assertion: syntax.Assertion, claim: syntax.CompareClaim, unit: Unit
) -> Scalar | Side | Diagnostic:
    """A number, `true`, or something that is measured as well."""
    given = claim.value
    if isinstance(given, syntax.Call):
        return _one_value(measured.side(given, assertion.data, unit), given)
    if isinstance(given, syntax.Name) and measured.is_of_lane(given.value, unit):
        return measured.side(given, assertion.data, unit)
    value = scalar(given)
    if isinstance(value, str) or value is None:
        message = f"a claim compares with a number or `true`, not with {describe(given)}"
        help_ = "a value of the same run is written `float.accuracy` or `accuracy(float)`"
        return Diagnostic("QF113", message, at=given.span, help=help_)
    if isinstance(value, bool) and claim.operator not in ("==", "!="):
        message = f"`{claim.operator}` does not compare with `{shown(value)}`"
        return Diagnostic("QF113", message, at=given.span, help="use `==`")
    return value


def _one_value(side: Side | Diagnostic, call: syntax.Call) -> Side | Diagnostic:
    """A pattern covers many addresses: it is compared with something, not something with it."""
    if isinstance(side, Diagnostic) or not side.per_address:
        return side
    message = f"`{side.text}` has a value per address, and stands on the left of a claim"
    return Diagnostic("QF113", message, at=call.span, help="name an output, or swap the sides")


def _truth(side: Side) -> bool:
    """Whether it is `true` or `false`, not a number."""
    return not side.per_address and bool(registry.load(MEASURES, side.measure).truth)


def _no_subject(subject: syntax.Name) -> Diagnostic:
    measures = facts.known(MEASURES)
    found = unknown("claim on", subject.value, (SCALE, *measures), subject.span)
    if subject.value in measures:
        help_ = f"write what it is measured on: `{subject.value}(integer)`"
        return replace(found, message=f"`{subject.value}` needs arguments", notes=(), help=help_)
    return found


def _claim(
    assertion: syntax.Assertion,
    claim: syntax.CompareClaim,
    left: Side,
    right: Scalar | Side,
) -> ClaimPlan:
    no = "no " if claim.negated else ""
    on = f" on {assertion.data}" if assertion.data else ""
    subject = left.text if left.args else left.measure
    compared = right.text if isinstance(right, Side) else shown(right)
    against = Measured(right.measure, right.args) if isinstance(right, Side) else None
    return ClaimPlan(
        severity=assertion.severity,
        text=f"{no}{subject} {claim.operator} {compared}{on}",
        measure=left.measure,
        args=left.args,
        operator=claim.operator,
        value=compared if isinstance(right, Side) else right,
        negated=claim.negated,
        data=assertion.data,
        at=assertion.span,
        against=against,
        per_address=left.per_address,
    )

"""claims: what the `check` block says of the finished model, with every name resolved."""

from dataclasses import replace

from qflow import registry
from qflow.compile import facts
from qflow.compile.unit import Unit
from qflow.compile.values import describe, scalar, unknown
from qflow.diagnostics import Diagnostic
from qflow.dtype import DTYPES
from qflow.lang import syntax
from qflow.plan.plan import ClaimPlan, Scalar
from qflow.plan.show import scalar as shown

MEASURES = "analysis.measures"
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
                claim = _compare(assertion, assertion.claim)
        if isinstance(claim, Diagnostic):
            found.append(claim)
            continue
        wrong = _words(claim, unit)
        found += wrong
        claims += [] if wrong else [claim]
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


def _compare(assertion: syntax.Assertion, claim: syntax.CompareClaim) -> ClaimPlan | Diagnostic:
    """`no scale == 1.0`, `cosine(output.logits) >= 0.99 on val`."""
    if isinstance(claim.value, syntax.Call):
        message = "a measure on the right side of a claim is not supported yet"
        return Diagnostic("QF120", message, at=claim.value.span)
    value = scalar(claim.value)
    if isinstance(value, str) or value is None:
        message = f"a claim compares with a number or `true`, not with {describe(claim.value)}"
        return Diagnostic("QF113", message, at=claim.value.span)
    if isinstance(value, bool) and claim.operator not in ("==", "!="):
        message = f"`{claim.operator}` does not compare with `{shown(value)}`"
        return Diagnostic("QF113", message, at=claim.value.span, help="use `==`")
    if isinstance(claim.subject, syntax.Call):
        return _measured(assertion, claim, claim.subject, value)
    if claim.subject.value != SCALE:
        return _no_subject(claim.subject)
    if isinstance(value, bool):
        return Diagnostic("QF113", "a scale is a number", at=claim.value.span)
    return _claim(assertion, claim, SCALE, (), value)


def _no_subject(subject: syntax.Name) -> Diagnostic:
    measures = facts.known(MEASURES)
    found = unknown("claim on", subject.value, (SCALE, *measures), subject.span)
    if subject.value in measures:
        help_ = f"write what it is measured on: `{subject.value}(integer)`"
        return replace(found, message=f"`{subject.value}` needs arguments", notes=(), help=help_)
    return found


def _measured(
    assertion: syntax.Assertion, claim: syntax.CompareClaim, call: syntax.Call, value: Scalar
) -> ClaimPlan | Diagnostic:
    measures = facts.known(MEASURES)
    if call.function not in measures:
        return unknown("measure", call.function, measures, call.span)
    args: list[str] = []
    for arg in call.args:
        if not isinstance(arg, syntax.Name):
            what = f"`{arg.name} = ...`" if isinstance(arg, syntax.Keyword) else describe(arg)
            message = f"{what} in a measure is not supported yet"
            return Diagnostic("QF120", message, at=arg.span)
        args.append(arg.value)
    if assertion.data is None:
        return Diagnostic(
            "QF115",
            f"`{call.function}` is measured, and the claim does not say on which data",
            at=assertion.span,
            help="write `on DATA` behind it",
        )
    return _claim(assertion, claim, call.function, tuple(args), value)


def _claim(
    assertion: syntax.Assertion,
    claim: syntax.CompareClaim,
    measure: str,
    args: tuple[str, ...],
    value: Scalar,
) -> ClaimPlan:
    subject = f"{measure}({', '.join(args)})" if args else measure
    no = "no " if claim.negated else ""
    on = f" on {assertion.data}" if assertion.data else ""
    return ClaimPlan(
        severity=assertion.severity,
        text=f"{no}{subject} {claim.operator} {shown(value)}{on}",
        measure=measure,
        args=args,
        operator=claim.operator,
        value=value,
        negated=claim.negated,
        data=assertion.data,
        at=assertion.span,
    )


def _words(claim: ClaimPlan, unit: Unit) -> list[Diagnostic]:
    """QF110 for words its measure does not know."""
    if claim.measure in (DTYPE, SCALE) or unit.model is None:
        return []
    measure = registry.load(MEASURES, claim.measure)
    sentences = measure(claim.args).check(claim.args, unit)
    return [Diagnostic("QF110", sentence, at=claim.at) for sentence in sentences]

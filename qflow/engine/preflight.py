"""preflight: what can be known to go wrong later, said before the first stage starts."""

from collections.abc import Callable, Iterator
from functools import partial

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError
from qflow.engine import extension, method, scales, training
from qflow.engine.work import Work


def check(work: Work) -> None:
    """Raises QflowError with every finding: data without targets, entry points, settings."""
    found = [*_targets(work)]
    asked: list[Callable[[], object]] = []
    asked += [partial(extension.metric_of, name, work) for name in work.data]
    asked += [partial(method.check, stage, work) for stage in work.plan.stages]
    asked += [partial(training.check, stage, work) for stage in work.plan.stages]
    for ask in asked:
        try:
            ask()
        except QflowError as error:
            found += error.diagnostics
    if found:
        raise QflowError(tuple(found))


def _targets(work: Work) -> Iterator[Diagnostic]:
    """Data that something is measured against, and that has nothing to measure it against."""
    for name, data in work.data.items():
        if data.spec.metric is not None and not data.has_targets:
            yield _missing(name, f"the metric `{data.spec.metric}`", work)
    for claim in work.plan.claims:
        if claim.measure == scales.SCALE or claim.data is None or claim.proved is not None:
            continue
        measure = registry.load("analysis.measures", claim.measure)
        if getattr(measure, "needs_targets", False) and not work.data[claim.data].has_targets:
            yield _missing(claim.data, f"`{claim.measure}`", work)


def _missing(name: str, who: str, work: Work) -> Diagnostic:
    return Diagnostic(
        "QF315",
        f"data `{name}` has no targets, and {who} needs them",
        at=work.data[name].reader.at,
        help="return (inputs, target) from the loader",
    )

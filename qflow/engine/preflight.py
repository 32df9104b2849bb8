"""preflight: what can be known to go wrong later, said before the first stage starts."""

from collections.abc import Callable, Iterator
from functools import partial

from qflow.diagnostics import Diagnostic, QflowError
from qflow.engine import claimed, extension, method, training
from qflow.engine.work import Work


def check(work: Work) -> None:
    """Raises QflowError with every finding: data without targets, entry points, settings."""
    found = [*_targets(work)]
    asked: list[Callable[[], object]] = []
    asked += [partial(extension.metric_of, name, work) for name in work.data]
    asked += [partial(claimed.check, claim, work) for claim in claimed.measured(work.plan)]
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
    for claim in claimed.measured(work.plan):
        if claim.data is None or work.data[claim.data].has_targets:
            continue
        for measure in claimed.needing_targets(claim)[:1]:
            yield _missing(claim.data, f"`{measure}`", work)


def _missing(name: str, who: str, work: Work) -> Diagnostic:
    return Diagnostic(
        "QF315",
        f"data `{name}` has no targets, and {who} needs them",
        at=work.data[name].reader.at,
        help="return (inputs, target) from the loader",
    )

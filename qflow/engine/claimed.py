"""claimed: the claims about one data block: what is measured for them, and what came of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from qflow import registry
from qflow.analysis.batch import Batch
from qflow.analysis.measures import Measure
from qflow.engine import data, extension, scales
from qflow.engine.addresses import Addresses
from qflow.engine.counting import Counter
from qflow.engine.verdict import judge
from qflow.engine.work import Work
from qflow.plan.plan import ClaimPlan, Plan

METRIC = "metric"
"""The measure that counts with a metric somebody else made."""


class Claimed:
    """Every claim on one data block at work."""

    def __init__(self, work: Work, name: str) -> None:
        """Raises QflowError QF312 for a metric that cannot be made."""
        mine = [c for c in measured(work.plan) if c.data == name]
        plain = [c for c in mine if not c.per_address]
        self._sides = [(c, _left(c, work), _right(c, work)) for c in plain]
        inner = tuple(c for c in mine if c.per_address)
        rights = {c.text: right for c in inner if (right := _right(c, work)) is not None}
        self._rights: Mapping[str, Measure] = rights
        self._addresses = Addresses(inner, work) if inner else None

    def update(self, answers: Batch, given: data.Batch) -> None:
        """Take in what all lanes answered for a batch; `given` is the batch itself."""
        for _, left, right in self._sides:
            left.update(answers)
            if right is not None:
                right.update(answers)
        for measure in self._rights.values():
            measure.update(answers)
        if self._addresses is not None:
            self._addresses.update(given)

    def results(self) -> dict[str, Any]:
        """Text of a claim to `{"value", "holds"}`, with `against` where two were measured."""
        found: dict[str, Any] = {}
        for claim, left, right in self._sides:
            found[claim.text] = _judged(claim, left.result(), right)
        if self._addresses is not None:
            against = {text: measure.result() for text, measure in self._rights.items()}
            found.update(self._addresses.results(against))
        return found


def measured(plan: Plan) -> Iterator[ClaimPlan]:
    """Claims that need the lanes: the plan decided the others, or the scales do."""
    return (c for c in plan.claims if c.proved is None and c.measure != scales.SCALE)


def entries(plan: Plan) -> tuple[str, ...]:
    """Entry points of metrics that claims name."""
    named = (args[0] for c in plan.claims for kind, args in _parts(c) if kind == METRIC)
    return tuple(dict.fromkeys(name for name in named if ":" in name))


def needing_targets(claim: ClaimPlan) -> tuple[str, ...]:
    """Measures of a claim that compare with what the data says is right."""
    parts = _parts(claim)[1:] if claim.per_address else _parts(claim)
    kinds = [kind for kind, _ in parts]
    return tuple(k for k in kinds if getattr(_kind(k), "needs_targets", False))


def check(claim: ClaimPlan, work: Work) -> None:
    """Makes the metrics a claim names. Raises QflowError QF312 for one that cannot be made."""
    for kind, args in _parts(claim):
        if kind == METRIC and len(args) == 2:
            _counter(args[0], claim, work)


def _parts(claim: ClaimPlan) -> tuple[tuple[str, tuple[str, ...]], ...]:
    left = (claim.measure, claim.args)
    return (left, (claim.against.measure, claim.against.args)) if claim.against else (left,)


def _kind(name: str) -> Any:
    return registry.load("analysis.measures", name)


def _left(claim: ClaimPlan, work: Work) -> Measure:
    return _made(claim.measure, claim.args, claim, work)


def _right(claim: ClaimPlan, work: Work) -> Measure | None:
    if claim.against is None:
        return None
    return _made(claim.against.measure, claim.against.args, claim, work)


def _made(kind: str, args: tuple[str, ...], claim: ClaimPlan, work: Work) -> Measure:
    made: Any = _kind(kind)(args)
    if kind == METRIC:
        made.counted = _counter(made.named, claim, work)
    found: Measure = made
    return found


def _counter(name: str | None, claim: ClaimPlan, work: Work) -> Counter | None:
    """The metric a claim names, or that of its data block."""
    assert claim.data is not None, "a claim without data is refused before"
    if name is None:
        return extension.metric_of(claim.data, work)
    return Counter(extension.find(METRIC, name, work, claim.at), name, claim.at)


def _judged(claim: ClaimPlan, value: Any, right: Measure | None) -> Mapping[str, Any]:
    if right is None:
        return judge(claim, value)
    against = right.result()
    return {**judge(replace(claim, value=against), value), "against": against}

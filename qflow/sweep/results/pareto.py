"""pareto: the points that no other point beats in both the metric and the cost."""

from collections.abc import Iterable
from itertools import groupby
from math import isfinite

from qflow.diagnostics import EXIT
from qflow.sweep.outcome import Outcome
from qflow.sweep.results.objective import Objective


def front(outcomes: Iterable[Outcome], objective: Objective | None) -> tuple[Outcome, ...]:
    """By rising cost; points that are equal in both are all of it, in the order given.

    A point is beaten by one that is no worse in both and better in one; numbers are compared
    exactly. What failed, breaks an assert, or has no finite metric is neither on it nor beats
    anything: a patch that makes a run fail is no improvement.
    """
    if objective is None:
        return ()
    able = [o for o in outcomes if o.exit_code == EXIT.yes and is_measured(o, objective)]
    found: list[Outcome] = []
    best: float | None = None
    for _, group in groupby(sorted(able, key=objective.cost), key=objective.cost):
        same = list(group)
        top = max(objective.gain(o) for o in same)
        if best is None or top > best:
            found += [o for o in same if objective.gain(o) == top]
            best = top
    return tuple(found)


def is_measured(outcome: Outcome, objective: Objective) -> bool:
    """Whether it has a place in the plane of metric and cost."""
    value = outcome.metric(objective.metric)
    return value is not None and isfinite(value)

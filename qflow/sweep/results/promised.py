"""promised: what the points of a sweep will be compared by, known from their plans alone."""

from collections.abc import Sequence
from pathlib import Path

from qflow.plan import cost
from qflow.plan.plan import Plan
from qflow.sweep.results import direction
from qflow.sweep.results.objective import Objective, choose


def objective(
    text: str | None, against: str | None, plans: Sequence[Plan], folder: Path
) -> Objective:
    """What `--objective` and `--against` name, before anything ran; `folder` is that of the file.

    Raises QflowError QF328 for what no point will measure.
    """
    from qflow.engine import summary  # here: it is about runs, which need torch

    names = dict.fromkeys(name for plan in plans for name in summary.promised(plan))
    data = [d for plan in plans for d in plan.data]
    higher = direction.of_data(data, folder)
    return choose(text, against, tuple(names), [cost.of(p) for p in plans], higher)

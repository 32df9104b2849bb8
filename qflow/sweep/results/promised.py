"""promised: what the points of a sweep will be compared by, known from their plans alone."""

from collections.abc import Sequence
from pathlib import Path

from qflow.analysis.lanes import BUILT_IN
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
    names = dict.fromkeys(name for plan in plans for name in metrics(plan))
    data = [d for plan in plans for d in plan.data]
    higher = direction.of_data(data, folder)
    return choose(text, against, tuple(names), [cost.of(p) for p in plans], higher)


def metrics(plan: Plan) -> tuple[str, ...]:
    """`integer.accuracy` and so on: what the summary of a run of this plan will hold."""
    from qflow.engine import summary
    from qflow.engine.extension import metric_name
    from qflow.engine.work import judged_on

    name = judged_on(plan)
    metric = next((d.metric for d in plan.data if d.name == name), None)
    if metric is None:
        return ()
    lanes = (*BUILT_IN, *(f"export.{e.target}" for e in plan.exports))
    # the summary names exported files by what runs them
    named = summary.metrics({"metrics": dict.fromkeys(lanes)})
    return tuple(f"{lane}.{metric_name(metric)}" for lane in named)

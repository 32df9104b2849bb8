"""observations: what a plan's first stage observes, dtypes apart; plans that agree share one pass.

While calibration observes, nothing is rounded: a grid's dtype has no say in the values. So the
statistics of a tensor depend on the model, the data and the observer alone, and are kept by them.
"""

from collections.abc import Sequence
from dataclasses import replace

from qflow.compile.hashes import plain
from qflow.engine import digest
from qflow.plan.plan import Observed, Plan, Shared, StagePlan, TensorPlan


def observing(plan: Plan) -> StagePlan | None:
    """The first stage, if it only observes: one pass, nothing rounded, trained or frozen."""
    if not plan.stages:
        return None
    first = plan.stages[0]
    if first.epochs or first.freezes or first.setting("method") is not None:
        return None
    states = {state for _, state in first.states}
    return first if "calibration" in states <= {"calibration", "float"} else None


def id_of(plan: Plan) -> str:
    """Of what the first stage observes: who watches which tensor. Plans with one id observe the
    same, on the same data."""
    stage = observing(plan)
    assert stage is not None, "callers ask `observing` first"
    watchers = [(places(plan), [_observer(t) for t in _grids(plan)]), stage.states]
    return digest.of_json(watchers)[:16]


def places(plan: Plan) -> str:
    """Digest of where tensors are watched: plans with one can be observed in one forward."""
    fusions = [(f.at, f.pattern, f.members, f.residual) for f in plan.fusions]
    slots = [(m.address, m.absorbed_by, *map(_place, _of(m))) for m in plan.modules]
    return digest.of_json([fusions, slots])


def watched(plans: Sequence[Plan]) -> list[tuple[int, ...]]:
    """Per plan the numbers of those whose tensors can be observed in the same stage.

    Of several that observe the same there is the first. A plan with nobody beside it has none.
    """
    together: dict[str, dict[str, int]] = {}
    for number, plan in enumerate(plans):
        if observing(plan) is not None:
            together.setdefault(basis(plan), {}).setdefault(id_of(plan), number)
    found = [{} if observing(p) is None else together[basis(p)] for p in plans]
    return [tuple(one.values()) if len(one) > 1 else () for one in found]


def basis(plan: Plan) -> str:
    """Digest of what both values and batches come from: model, graph, weights, data."""
    stage = observing(plan)
    assert stage is not None, "callers ask `observing` first"
    data = next(d for d in plan.data if d.name == stage.data)
    # what judges samples has no say in them
    batches = plain(replace(data, metric=None))
    return digest.of_json([dict(plan.hashes)["trace"], plan.model.checkpoint, batches])


def _of(module: object) -> list[TensorPlan | None]:
    return [module.act, module.weight, *module.inputs]  # type: ignore[attr-defined]


def _grids(plan: Plan) -> list[TensorPlan | None]:
    return [grid for module in plan.modules for grid in _of(module)]


def _place(grid: TensorPlan | None) -> object:
    """Whether there is a fake-quantizer, and whose it is."""
    if grid is None:
        return None
    return grid.source.owner if isinstance(grid.source, Shared) else ""


def _observer(grid: TensorPlan | None) -> object:
    """What its fake-quantizer gathers; a given scale gathers nothing."""
    if grid is None or not isinstance(grid.source, Observed):
        return None
    source = grid.source
    settings = [(name, decided.value) for name, decided in source.settings]
    learned = None if grid.learned is None else grid.learned.value
    return [source.observer.value, settings, grid.scheme.value, grid.axis, learned]

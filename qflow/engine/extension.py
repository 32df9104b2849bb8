"""extension: what a setting of a stage names: a file of ours or an entry point, with its fields."""

from collections.abc import Iterable
from typing import Any

from qflow import registry
from qflow.diagnostics import Span
from qflow.engine import entry
from qflow.engine.counting import Counter
from qflow.engine.work import Work
from qflow.plan.plan import Plan, StagePlan

KINDS = {
    "loss": "engine.losses",
    "method": "engine.methods",
    "metric": "analysis.metrics",
    "optimizer": "engine.optimizers",
    "scheduler": "engine.schedulers",
}


def find(kind: str, name: str, work: Work, at: Span | None) -> Any:
    """The class called `name`. Raises QflowError QF312 for an entry point that is none."""
    if ":" in name:
        return entry.find(name, work.folder, at)
    return registry.load(KINDS[kind], name)


def fields(stage: StagePlan, prefix: str) -> dict[str, Any]:
    """What a stage gives an extension: settings that begin with `prefix`, by the rest."""
    own = ((n.removeprefix(prefix), s.value) for n, s in stage.settings if n.startswith(prefix))
    return {name: value for name, value in own if "." not in name and name != "entry"}


def place(stage: StagePlan, name: str) -> Span | None:
    """Where a setting was written; the stage, when it was not."""
    return next((s.by for n, s in stage.settings if n == name), stage.at)


def entries(stage: StagePlan) -> tuple[str, ...]:
    """Entry points of the user's own code a stage calls."""
    named = (s.value for n, s in stage.settings if n in KINDS or n.endswith(".entry"))
    return tuple(dict.fromkeys(v for v in named if isinstance(v, str) and ":" in v))


def metric_of(data: str, work: Work) -> Counter | None:
    """A fresh metric of a data block; None where it names none."""
    spec = work.data[data].spec
    if spec.metric is None:
        return None
    at = entry.span_of(spec.fields, "metric", spec.at)
    return Counter(find("metric", spec.metric, work, at), spec.metric, at)


def metric_name(metric: str) -> str:
    """What a table calls a metric: a word of ours, or what comes behind the colon."""
    return metric.rpartition(":")[2]


def metric_entries(plan: Plan, names: Iterable[str]) -> tuple[str, ...]:
    """Entry points that the metrics of some data blocks are."""
    metrics = (d.metric for d in plan.data if d.name in names and d.metric is not None)
    return tuple(dict.fromkeys(m for m in metrics if ":" in m))

"""extension: what a setting of a stage names: a file of ours or an entry point, with its fields."""

from typing import Any

from qflow import registry
from qflow.diagnostics import Span
from qflow.engine import entry
from qflow.engine.work import Work
from qflow.plan.plan import StagePlan

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

"""judging: how good each epoch was, which was the best, and whether to go on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx

from qflow.engine import entry, extension, freezing, prepared
from qflow.engine.objective import Objective
from qflow.engine.work import Work
from qflow.plan.plan import StagePlan

LOSS = "loss"


@dataclass
class Course:
    """What training has come to."""

    losses: list[float] = field(default_factory=list)
    """Mean training loss of every epoch."""
    values: list[float] = field(default_factory=list)
    """What every epoch was judged with, where epochs are judged."""
    best: int = 0
    """The epoch with the best value; the first of several."""

    def plain(self) -> dict[str, Any]:
        return {"losses": self.losses, "values": self.values, "best": self.best}


@dataclass(frozen=True)
class Judge:
    """How a stage judges its epochs."""

    metric: str
    patience: int | None
    keeps_best: bool
    higher: bool
    measure: Callable[[fx.GraphModule, int], float] | None
    """Model and epoch to its value; None: it is the epoch's training loss."""

    def note(self, course: Course, module: fx.GraphModule) -> bool:
        """Add the value of the epoch just done; whether it is the best so far."""
        epoch = len(course.losses) - 1
        value = course.losses[-1] if self.measure is None else self.measure(module, epoch)
        course.values.append(value)
        best = course.values[course.best]
        better = epoch == 0 or (value > best if self.higher else value < best)
        if better:
            course.best = epoch
        return better

    def ends(self, course: Course) -> bool:
        """No epoch of the last `patience` ones was better than those before."""
        return self.patience is not None and len(course.values) - 1 - course.best >= self.patience

    def say(self, value: float) -> str:
        return f"{self.metric} {value:.4f}" if self.metric == LOSS else f"{self.metric} {value:.2%}"


def make(stage: StagePlan, objective: Objective, work: Work) -> Judge | None:
    """None where the stage names nothing to be judged by."""
    name = stage.setting("metric")
    if stage.validates is None and name != LOSS:
        return None
    metric = str(name or _own_metric(stage, work) or LOSS)
    patience = stage.setting("patience")
    higher, measure = False, None
    if stage.validates is not None:
        found = None
        if metric != LOSS:
            found = extension.find("metric", metric, work, extension.place(stage, "metric"))
            higher = bool(getattr(found, "higher_is_better", True))
        measure = _measure(stage, found, objective, work)
    return Judge(
        metric.rpartition(":")[2],
        int(patience) if isinstance(patience, int) else None,
        stage.setting("keep") == "best",
        higher,
        measure,
    )


def _own_metric(stage: StagePlan, work: Work) -> str | None:
    return work.data[str(stage.validates)].spec.metric


def needs_target(stage: StagePlan, objective: Objective, work: Work) -> bool:
    """Whether the data of `validate` must have targets."""
    metric = stage.setting("metric") or _own_metric(stage, work) or LOSS
    return metric != LOSS or objective.needs_target


def _measure(
    stage: StagePlan, metric: Any, objective: Objective, work: Work
) -> Callable[[fx.GraphModule, int], float]:
    data = work.data[str(stage.validates)]

    def measure(module: fx.GraphModule, epoch: int) -> float:
        freezing.judged(module, stage, epoch)
        counter = None if metric is None else metric()
        summed = 0.0
        with torch.no_grad():
            for batch in data.batches():
                with entry.UserCode(f"judging stage `{stage.name}`", stage.at):
                    outputs = prepared.call(module, batch.inputs, work)
                    if counter is None:
                        summed += objective(outputs, batch).item() * len(batch)
                    else:
                        counter.update(_arrays(outputs), batch.target)
        if counter is None:
            return summed / len(data)
        with entry.UserCode(f"the metric of stage `{stage.name}`", stage.at):
            return float(counter.result())

    return measure


def _arrays(outputs: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in outputs.items()}

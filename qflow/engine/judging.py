"""judging: how good each epoch was, which was the best, and whether to go on."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import fx

from qflow.diagnostics import EXIT, Diagnostic, Span, fail
from qflow.engine import entry, extension, freezing, prepared
from qflow.engine.counting import Counter
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
        fresh = None
        if metric != LOSS:
            at = _place(stage, work)
            found = extension.find("metric", metric, work, at)
            higher = bool(getattr(found, "higher_is_better", True))
            fresh = partial(Counter, found, metric, at)
            fresh()  # one that cannot be made is said before any stage runs
        measure = _measure(stage, fresh, objective, work)
    return Judge(
        metric.rpartition(":")[2],
        int(patience) if isinstance(patience, int) else None,
        stage.setting("keep") == "best",
        higher,
        measure,
    )


def _place(stage: StagePlan, work: Work) -> Span | None:
    """Where the metric was written: in the stage, or in the data it judges on."""
    spec = work.data[str(stage.validates)].spec
    if stage.setting("metric") is None:
        return entry.span_of(spec.fields, "metric", spec.at)
    return extension.place(stage, "metric")


def _own_metric(stage: StagePlan, work: Work) -> str | None:
    return work.data[str(stage.validates)].spec.metric


def needs_target(stage: StagePlan, objective: Objective, work: Work) -> bool:
    """Whether the data of `validate` must have targets."""
    metric = stage.setting("metric") or _own_metric(stage, work) or LOSS
    return metric != LOSS or objective.needs_target


def _measure(
    stage: StagePlan, fresh: Callable[[], Counter] | None, objective: Objective, work: Work
) -> Callable[[fx.GraphModule, int], float]:
    data = work.data[str(stage.validates)]

    def measure(module: fx.GraphModule, epoch: int) -> float:
        freezing.judged(module, stage, epoch)
        counter = None if fresh is None else fresh()
        summed = 0.0
        with torch.no_grad():
            for batch in data.batches():
                with entry.UserCode(f"judging stage `{stage.name}`", stage.at):
                    outputs = prepared.call(module, batch.inputs, work)
                    if counter is None:
                        summed += objective(outputs, batch).item() * len(batch)
                if counter is not None:
                    counter.update(_arrays(outputs), batch.target)
        if counter is not None:
            return counter.result()
        if not math.isfinite(summed):
            raise fail(_not_finite(stage, epoch), EXIT.failed)
        return summed / len(data)

    return measure


def _not_finite(stage: StagePlan, epoch: int) -> Diagnostic:
    return Diagnostic(
        "QF403",
        f"the loss on data `{stage.validates}` is not finite behind epoch {epoch + 1}",
        at=stage.at,
        help="lower `lr`, set `clip_grad_norm`, or look for targets the loss cannot take",
    )


def _arrays(outputs: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in outputs.items()}

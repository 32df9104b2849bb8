"""schedule: the stages of the file: each sets states and makes passes over its data."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qflow.engine import (
    extension,
    files,
    freezing,
    method,
    observations,
    observed,
    observing,
    prepared,
)
from qflow.engine.counting import Counter
from qflow.engine.entry import UserCode
from qflow.engine.located import Located
from qflow.engine.objective import may_ask_teacher
from qflow.engine.stages import observe
from qflow.engine.training import train
from qflow.engine.work import OBSERVE, PREPARE, STATE, Stage, Work
from qflow.plan.plan import Plan, StagePlan
from qflow.quantization import set_states

RESULT = "result.json"


def stages(plan: Plan) -> tuple[Stage, ...]:
    made = []
    before = PREPARE
    seeds = {d.name: d.seed for d in plan.data}
    watching = observations.observing(plan)
    for stage in plan.stages:
        judged = (stage.validates,) if stage.validates is not None else ()
        reads = ((before, STATE),)
        if stage is watching:
            reads += ((OBSERVE, observe.file_of(observations.id_of(plan))),)
        made.append(
            Stage(
                stage.name,
                partial(make, stage, before),
                reads=reads,
                weights=may_ask_teacher(stage) or stage.setting("method") is not None,
                data=tuple(dict.fromkeys((stage.data, *judged))),
                code=(
                    *extension.entries(stage),
                    *extension.metric_entries(plan, (stage.data, *judged)),
                ),
                seed=seeds[stage.data],
            )
        )
        before = before if stage.evaluates else stage.name
    return tuple(made)


def make(stage: StagePlan, before: str, work: Work, folder: Path) -> None:
    """Writes `result.json`, and the state unless it only evaluates.

    Raises QflowError QF401, QF403, and what UserCode raises.
    """
    module = prepared.load(work, before)
    with Located(stage.at):
        result = _work_of(stage, work)(stage, module, work)
    observing.refuse_unobserved(module, stage)
    if not stage.evaluates:
        prepared.save(module.eval(), folder)
    files.write(folder / RESULT, json.dumps(result, indent=2, sort_keys=True) + "\n")


def _work_of(stage: StagePlan, work: Work) -> Callable[..., Mapping[str, Any]]:
    if stage.setting("method") is not None:
        return method.run
    if observations.observing(work.plan) is stage:
        return _taken_over
    return train if stage.epochs else _pass


def _taken_over(stage: StagePlan, module: nn.Module, work: Work) -> Mapping[str, Any]:
    """What the stage `observe` saw, as if this model had seen it."""
    set_states(module, stage.states_at(0))
    observed.put_back(module, observe.load(work))
    samples = len(work.data[stage.data])
    work.console.say(stage.name, f"scales from {samples} samples")
    return {"samples": samples, "metrics": {}}


def _pass(stage: StagePlan, module: nn.Module, work: Work) -> Mapping[str, Any]:
    """One pass without gradients; counts the metric where the data has one."""
    set_states(module, stage.states_at(0))
    freezing.hold(module, stage, 0)
    data = work.data[stage.data]
    metric = _metric(stage, work)
    with torch.no_grad(), work.console.progress(stage.name, len(data), "samples") as step:
        for batch in data.batches():
            again = partial(prepared.call, module, batch.inputs, work)
            with UserCode(f"stage `{stage.name}`", stage.at):
                outputs = again()
            observing.refuse_not_finite(outputs, module, again, stage)
            if metric is not None and batch.target is not None:
                metric.update({k: v.numpy() for k, v in outputs.items()}, batch.target)
            step.advance(len(batch))
        name = extension.metric_name(str(data.spec.metric))
        measured = {} if metric is None else {name: metric.result()}
        step.say(
            "  ".join([f"{len(data)} samples", *(f"{k} {v:.2%}" for k, v in measured.items())])
        )
    return {"samples": len(data), "metrics": measured}


def _metric(stage: StagePlan, work: Work) -> Counter | None:
    """A fresh metric for a stage that evaluates on data with one; None otherwise."""
    spec = work.data[stage.data].spec
    if spec.metric is None or not stage.evaluates or not work.data[stage.data].has_targets:
        return None
    return extension.metric_of(stage.data, work)

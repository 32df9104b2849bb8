"""training: epochs of quantization-aware training over a prepared model."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, fx

from qflow.diagnostics import EXIT, Diagnostic, fail
from qflow.engine import (
    entry,
    extension,
    files,
    freezing,
    judging,
    objective,
    optimizing,
    prepared,
    resume,
)
from qflow.engine.console import Step
from qflow.engine.judging import Course, Judge
from qflow.engine.objective import Objective
from qflow.engine.optimizing import Optimizing
from qflow.engine.work import Work
from qflow.plan.plan import StagePlan


def train(stage: StagePlan, module: fx.GraphModule, work: Work) -> Mapping[str, Any]:
    """Train in place; what came out, as plain data.

    After every epoch everything the next one needs is written to `work.checkpoint`; a training that
    finds such a file goes on from there and ends with the same bits. Raises QflowError QF403 for a
    loss that is not finite.
    """
    run = _start(stage, module, work)
    with work.console.progress(stage.name, stage.epochs * len(run.data), "samples") as step:
        _go_on(run, step)
        while len(run.course.losses) < stage.epochs and not run.ended:
            _epoch(run, len(run.course.losses), step)
            _keep(run)
    course, judge = run.course, run.judge
    result = {"samples": len(course.losses) * len(run.data), "losses": course.losses}
    if judge is None:
        return result
    kept = course.best if judge.keeps_best else len(course.values) - 1
    if judge.keeps_best:
        prepared.put_back(module, run.best)
    return {**result, "metric": judge.metric, "values": course.values, "kept": kept}


@dataclass
class _Run:
    """One training under way."""

    stage: StagePlan
    module: fx.GraphModule
    work: Work
    loss: Objective
    optimizing: Optimizing
    judge: Judge | None
    course: Course = field(default_factory=Course)
    best: dict[str, Tensor] = field(default_factory=dict)

    @property
    def data(self) -> Any:
        return self.work.data[self.stage.data]

    @property
    def ended(self) -> bool:
        return self.judge is not None and self.judge.ends(self.course)


def _start(stage: StagePlan, module: fx.GraphModule, work: Work) -> _Run:
    loss = objective.make(stage, work)
    optimizing_ = optimizing.make(stage, module, work)
    return _Run(stage, module, work, loss, optimizing_, judging.make(stage, loss, work))


def _go_on(run: _Run, step: Step) -> None:
    """Take up what an earlier attempt left."""
    path = run.work.checkpoint
    found = resume.read(path) if path is not None else None
    if found is None:
        return
    # of a scale the freezes of every epoch count, of a weight those of the last one
    for epoch in range(found.epoch):
        freezing.begin(run.module, run.stage, epoch)
    run.optimizing.leave_still()
    prepared.put_back(run.module, found.model)
    run.optimizing.restore(found.optimizer, found.plain["optimizer"])
    run.course = Course(**found.plain["course"])
    run.best = dict(found.best)
    step.advance(found.epoch * len(run.data))
    step.say(f"goes on behind epoch {found.epoch}/{run.stage.epochs}")


def _epoch(run: _Run, epoch: int, step: Step) -> None:
    stage, module, work = run.stage, run.module, run.work
    freezing.begin(module, stage, epoch)
    run.optimizing.leave_still()
    batches = math.ceil(len(run.data) / run.data.spec.batch)
    summed = 0.0
    for number, batch in enumerate(run.data.batches(epoch=epoch)):
        with entry.UserCode(f"training in stage `{stage.name}`", stage.at):
            value = run.loss(prepared.call(module, batch.inputs, work), batch)
        if not math.isfinite(value.item()):
            raise fail(_diverged(stage, epoch), EXIT.failed)
        with entry.UserCode(f"training in stage `{stage.name}`", stage.at):
            run.optimizing.step(value, epoch + number / batches, stage.epochs)
        summed += value.item() * len(batch)
        step.advance(len(batch), f"loss {value.item():.4f}")
    run.course.losses.append(summed / len(run.data))
    said = f"epoch {epoch + 1}/{stage.epochs}  loss {run.course.losses[-1]:.4f}"
    if run.judge is not None:
        if run.judge.note(run.course, module) and run.judge.keeps_best:
            run.best = prepared.tensors(module)
        said += f"  {run.judge.say(run.course.values[-1])}"
        said += "  (best)" if run.course.best == epoch else ""
    step.say(said)
    if run.ended:
        step.say(f"stops: no better epoch since epoch {run.course.best + 1}")


def _keep(run: _Run) -> None:
    """Write what the next epoch needs. An optimizer with a state of its own kind starts anew."""
    state = run.optimizing.state()
    path = run.work.checkpoint
    if path is None:
        return
    if state is None:
        files.remove(path)
        return
    tensors, plain = state
    found = resume.Checkpoint(
        len(run.course.losses),
        prepared.tensors(run.module),
        run.best,
        tensors,
        {"optimizer": plain, "course": run.course.plain()},
    )
    resume.write(path, found)


def check(stage: StagePlan, work: Work) -> None:
    """Raises QflowError for a training stage that cannot work, before any stage runs."""
    if not stage.epochs:
        return
    loss = objective.make(stage, work)
    _require_targets(stage.data, "trains", loss.needs_target, stage, work)
    if stage.validates is not None:
        needed = judging.needs_target(stage, loss, work)
        _require_targets(stage.validates, "is judged", needed, stage, work)
    judging.make(stage, loss, work)
    optimizing.schedule(stage, work)
    if stage.freezes:
        # asked of a model without scales: what is frozen does not depend on them
        optimizing.moving(stage, prepared.make(work))
    made = optimizing.found(stage, "optimizer", work)
    if not dataclasses.is_dataclass(made):
        return
    takes = {f.name for f in dataclasses.fields(made)}
    if extra := sorted(optimizing.numbers(stage).keys() - takes):
        raise fail(
            Diagnostic(
                "QF112",
                f"optimizer `{stage.setting('optimizer')}` has no `{extra[0]}`",
                at=extension.place(stage, extra[0]),
                help=f"it takes {', '.join(f'`{t}`' for t in sorted(takes))}",
            )
        )


def _require_targets(name: str, does: str, needed: bool, stage: StagePlan, work: Work) -> None:
    if needed and not work.data[name].has_targets:
        raise fail(
            Diagnostic(
                "QF315",
                f"data `{name}` has no targets, and stage `{stage.name}` {does} on it",
                at=stage.at,
                help="return (inputs, target) from the loader",
            )
        )


def _diverged(stage: StagePlan, epoch: int) -> Diagnostic:
    return Diagnostic(
        "QF403",
        f"the loss of stage `{stage.name}` is not finite in epoch {epoch + 1}",
        at=stage.at,
        help="lower `lr`, set `clip_grad_norm`, or look for targets the loss cannot take",
    )

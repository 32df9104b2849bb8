"""training: epochs of quantization-aware training over a prepared model."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from qflow import registry
from qflow.diagnostics import EXIT, Diagnostic, fail
from qflow.engine import entry, prepared
from qflow.engine.work import Work
from qflow.plan.plan import StagePlan


def train(stage: StagePlan, module: nn.Module, work: Work) -> Mapping[str, Any]:
    """Train in place; the losses of all epochs. Raises QflowError QF403 for one not finite."""
    data = work.data[stage.data]
    loss = _made(stage, "loss", work)()
    optimizer = _optimizer(stage, module, work)
    losses: list[float] = []
    total = stage.epochs * len(data)
    with work.console.progress(stage.name, total, "samples") as step:
        for epoch in range(stage.epochs):
            module.train()
            summed = 0.0
            for batch in data.batches(epoch=epoch):
                with entry.UserCode(f"training in stage `{stage.name}`", stage.at):
                    value = loss(
                        prepared.call(module, batch.inputs, work), torch.from_numpy(batch.target)
                    )
                    optimizer.zero_grad()
                    value.backward()
                if not math.isfinite(value.item()):
                    raise fail(_diverged(stage, epoch), EXIT.failed)
                optimizer.step()
                summed += value.item() * len(batch)
                step.advance(len(batch), f"loss {value.item():.4f}")
            losses.append(summed / len(data))
            step.say(f"epoch {epoch + 1}/{stage.epochs}  loss {losses[-1]:.4f}")
    return {"samples": total, "losses": losses}


def _settings(stage: StagePlan) -> dict[str, Any]:
    return {name: decided.value for name, decided in stage.settings}


def check(stage: StagePlan, work: Work) -> None:
    """Raises QflowError for a training stage that cannot work, before any stage runs."""
    if not stage.epochs:
        return
    if not work.data[stage.data].has_targets:
        raise fail(
            Diagnostic(
                "QF315",
                f"data `{stage.data}` has no targets, and stage `{stage.name}` trains on it",
                at=stage.at,
                help="return (inputs, target) from the loader",
            )
        )
    _made(stage, "loss", work)
    made = _made(stage, "optimizer", work)
    if not dataclasses.is_dataclass(made):
        return
    takes = {f.name for f in dataclasses.fields(made)}
    places = {name: decided.by for name, decided in stage.settings}
    if extra := sorted(_numbers(stage).keys() - takes):
        raise fail(
            Diagnostic(
                "QF112",
                f"optimizer `{dict(stage.settings)['optimizer'].value}` has no `{extra[0]}`",
                at=places[extra[0]],
                help=f"it takes {', '.join(f'`{t}`' for t in sorted(takes))}",
            )
        )


def _numbers(stage: StagePlan) -> dict[str, Any]:
    """What the optimizer is given: `lr` and so on."""
    return {n: d.value for n, d in stage.settings if n not in ("loss", "optimizer")}


def _optimizer(stage: StagePlan, module: nn.Module, work: Work) -> torch.optim.Optimizer:
    made = _made(stage, "optimizer", work)
    with entry.UserCode(f"the optimizer of stage `{stage.name}`", stage.at):
        parameters = [p for p in module.parameters() if p.requires_grad]
        optimizer: torch.optim.Optimizer = made(**_numbers(stage)).make(parameters)
    return optimizer


def _made(stage: StagePlan, what: str, work: Work) -> Any:
    """The class a setting names: a file of ours, or an entry point."""
    decided = dict(stage.settings)[what]
    name = str(decided.value)
    if ":" in name:
        return entry.find(name, work.folder, decided.by)
    folder = {"loss": "losses", "optimizer": "optimizers"}[what]
    return registry.load(f"engine.{folder}", name)


def _diverged(stage: StagePlan, epoch: int) -> Diagnostic:
    return Diagnostic(
        "QF403",
        f"the loss of stage `{stage.name}` is not finite in epoch {epoch + 1}",
        at=stage.at,
        help="lower `lr`, or look for targets the loss cannot take",
    )

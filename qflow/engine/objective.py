"""objective: what a stage makes small: one loss, or several with weights, with the float model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from qflow import registry
from qflow.diagnostics import EXIT, Diagnostic, Span, fail
from qflow.engine import entry, extension, prepared
from qflow.engine.data import Batch
from qflow.engine.extension import KINDS
from qflow.engine.work import Work
from qflow.plan.plan import StagePlan


@dataclass(frozen=True)
class Part:
    """One loss and its weight."""

    name: str
    kind: str
    """A word, or an entry point."""
    weight: float | None
    """None: it is the only one and is taken as it is."""
    at: Span | None = None


@dataclass(frozen=True)
class Objective:
    """Call it with outputs and their batch for the value that training makes small."""

    losses: tuple[tuple[Part, Any], ...]
    work: Work

    @property
    def needs_target(self) -> bool:
        return any(getattr(loss, "needs_target", True) for _, loss in self.losses)

    def __call__(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        target = None if batch.target is None else torch.from_numpy(batch.target)
        teacher = self._teacher(batch)
        values = []
        for part, loss in self.losses:
            given = (teacher,) if getattr(loss, "needs_teacher", False) else ()
            with entry.UserCode(f"the loss `{part.name}`", part.at):
                value = loss(outputs, target, *given)
            _require_scalar(value, part)
            values.append(value if part.weight is None else part.weight * value)
        total: Tensor = sum(values[1:], start=values[0])
        return total

    def _teacher(self, batch: Batch) -> dict[str, Tensor]:
        """Outputs of the float model as it was traced; none where no loss asks for them."""
        if not any(getattr(loss, "needs_teacher", False) for _, loss in self.losses):
            return {}
        with torch.no_grad():
            return prepared.call(self.work.model.traced.module.eval(), batch.inputs, self.work)


def _require_scalar(value: Any, part: Part) -> None:
    """Raises QflowError QF312 for what cannot be made small."""
    if isinstance(value, Tensor) and value.numel() == 1:
        return
    shape = f" {list(value.shape)}" if isinstance(value, Tensor) else ""
    what = f"a {type(value).__name__}{shape}"
    raise fail(
        Diagnostic(
            "QF312",
            f"the loss `{part.name}` gives {what}, not one number to make small",
            at=part.at,
            help="return a tensor of one number that is computed from the outputs",
        ),
        EXIT.failed,
    )


def parts(stage: StagePlan) -> tuple[Part, ...]:
    """The losses of a stage, in the order of their names."""
    if (only := stage.setting("loss")) is not None:
        return (Part(str(only), str(only), None, extension.place(stage, "loss")),)
    weights = extension.fields(stage, "loss.")
    return tuple(
        Part(
            name,
            str(stage.setting(f"loss.{name}.entry") or name),
            float(weight),
            extension.place(stage, f"loss.{name}"),
        )
        for name, weight in sorted(weights.items())
    )


def make(stage: StagePlan, work: Work) -> Objective:
    """Raises QflowError QF312 for an entry point that cannot be used."""
    made = []
    for part in parts(stage):
        found = extension.find("loss", part.kind, work, part.at)
        with entry.UserCode(f"the loss `{part.name}`", part.at):
            made.append((part, found(**extension.fields(stage, f"loss.{part.name}."))))
    return Objective(tuple(made), work)


def may_ask_teacher(stage: StagePlan) -> bool:
    """Whether the float model's weights may matter; of an entry point nothing is known."""
    kinds = [p.kind for p in parts(stage)] if stage.epochs else []
    return any(
        ":" in kind or getattr(registry.load(KINDS["loss"], kind), "needs_teacher", False)
        for kind in kinds
    )

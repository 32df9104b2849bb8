"""optimizing: the optimizer of a stage over named parameters; its state as plain tensors."""

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.engine import entry, extension, freezing
from qflow.engine.work import Work
from qflow.plan.plan import StagePlan
from qflow.quantization import FakeQuantize

_SHORT = ("lr", "momentum", "weight_decay")
Plain = int | float | bool | str | None


@dataclass
class Optimizing:
    """The optimizer, the learning rate over time, and the limit of the gradient."""

    optimizer: torch.optim.Optimizer
    every: Mapping[str, nn.Parameter]
    """What it moves in any epoch, by name."""
    schedule: Any
    """`(at, epochs)` to the factor of the learning rate; None: the optimizer's own."""
    clip: float | None
    base: list[float] = field(default_factory=list)
    """Learning rate of each group before any scheduling."""
    groups: list[list[nn.Parameter]] = field(default_factory=list)
    """Every parameter of each group, moving or not."""

    def __post_init__(self) -> None:
        self.base = [float(g["lr"]) for g in self.optimizer.param_groups if "lr" in g]
        self.groups = [list(g["params"]) for g in self.optimizer.param_groups]

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """What it moves now, by name."""
        return {n: p for n, p in self.every.items() if p.requires_grad}

    def leave_still(self) -> None:
        """Keep only what needs a gradient: neither decay nor momentum may move the rest."""
        for group, parameters in zip(self.optimizer.param_groups, self.groups, strict=True):
            group["params"] = [p for p in parameters if p.requires_grad]
        for parameter in self.every.values():
            if not parameter.requires_grad:
                self.optimizer.state.pop(parameter, None)

    def step(self, loss: Tensor, at: float, epochs: int) -> None:
        """One step from `loss`; `at` is how many epochs are done, with a fraction."""
        if self.schedule is not None:
            factor = float(self.schedule(at, epochs))
            if not (math.isfinite(factor) and factor >= 0):
                raise ValueError(f"the scheduler multiplies `lr` with {factor} at epoch {at:g}")
            for group, base in zip(self.optimizer.param_groups, self.base, strict=True):
                group["lr"] = base * factor
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.parameters.values(), self.clip, foreach=False)
        self.optimizer.step()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors by name, and what is plain data; None where there is something else in it."""
        tensors: dict[str, Tensor] = {}
        plain: dict[str, dict[str, Plain]] = {}
        for name, parameter in self.parameters.items():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    tensors[f"{name}/{key}"] = value
                elif isinstance(value, (int, float, str)) or value is None:
                    plain.setdefault(name, {})[key] = value
                else:
                    return None
        rates = [g.get("lr") for g in self.optimizer.param_groups]
        if not all(isinstance(r, (int, float)) or r is None for r in rates):
            return None
        return tensors, {"parameters": plain, "rates": rates}

    def restore(self, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
        """Put back what `state` gave. Raises KeyError when it is of another optimizer."""
        for name, value in tensors.items():
            parameter, _, key = name.rpartition("/")
            self.optimizer.state[self.parameters[parameter]][key] = value.clone()
        for name, values in plain["parameters"].items():
            self.optimizer.state[self.parameters[name]].update(values)
        for group, rate in zip(self.optimizer.param_groups, plain["rates"], strict=True):
            if rate is not None:
                group["lr"] = rate


def make(stage: StagePlan, module: fx.GraphModule, work: Work) -> Optimizing:
    """Over every parameter that moves in some epoch; learned scales do not decay."""
    named = moving(stage, module)
    quantizers = (m for m in module.modules() if isinstance(m, FakeQuantize))
    scales = {id(p) for q in quantizers for p in q.parameters()}
    weights: list[Any] = [p for p in named.values() if id(p) not in scales]
    learned = [p for p in named.values() if id(p) in scales]
    groups = [{"params": weights}, {"params": learned, "weight_decay": 0.0}]
    made = found(stage, "optimizer", work)
    options = {**numbers(stage), **extension.fields(stage, "optimizer.")}
    at = extension.place(stage, "optimizer")
    with entry.UserCode(f"the optimizer of stage `{stage.name}`", at):
        given = [g for g in groups if g["params"]] if learned else weights
        if inspect.isclass(made) and issubclass(made, torch.optim.Optimizer):
            optimizer = made(given, **options)  # type: ignore[call-arg]
        else:
            optimizer = made(**options).make(given)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise fail(_no_optimizer(optimizer, at))
    clip = stage.setting("clip_grad_norm")
    limit = float(clip) if isinstance(clip, (int, float)) else None
    return Optimizing(optimizer, named, schedule(stage, work), limit)


def _no_optimizer(made: object, at: Span | None) -> Diagnostic:
    return Diagnostic(
        "QF312",
        f"the optimizer's `make` gives a {type(made).__name__}, not a torch optimizer",
        at=at,
        help="name a class of `torch.optim`, or one whose `make(parameters)` returns one of those",
    )


def moving(stage: StagePlan, module: fx.GraphModule) -> dict[str, nn.Parameter]:
    """What a stage moves in some epoch, by name. Raises QflowError QF272 for one without any."""
    trained = {n: p for n, p in module.named_parameters() if p.requires_grad}
    stills = [{id(p) for p in freezing.still(module, stage, e)} for e in freezing.turns(stage)]
    for epoch, held in zip(freezing.turns(stage), stills, strict=True):
        if all(id(p) in held for p in trained.values()):
            raise fail(_nothing(stage, epoch))
    return {n: p for n, p in trained.items() if not all(id(p) in held for held in stills)}


def _nothing(stage: StagePlan, epoch: int) -> Diagnostic:
    return Diagnostic(
        "QF272",
        f"stage `{stage.name}` leaves nothing to train in epoch {epoch}",
        at=stage.at,
        notes=("epochs count from 0",),
        help="freeze less, begin later, or make it a stage without epochs",
    )


def numbers(stage: StagePlan) -> dict[str, Any]:
    """`lr` and its like, which need no prefix."""
    return {n: s.value for n, s in stage.settings if n in _SHORT}


def found(stage: StagePlan, kind: str, work: Work) -> Any:
    """The class that `optimizer` or `scheduler` names."""
    return extension.find(kind, str(stage.setting(kind)), work, extension.place(stage, kind))


def schedule(stage: StagePlan, work: Work) -> Any:
    """The scheduler; None where the stage names none. Raises QflowError QF312."""
    if stage.setting("scheduler") is None:
        return None
    made = found(stage, "scheduler", work)
    at = extension.place(stage, "scheduler")
    with entry.UserCode(f"the scheduler of stage `{stage.name}`", at):
        return made(**extension.fields(stage, "scheduler."))

"""observed: prepared models that watch their tensors for several plans, and what they saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, fx, nn

from qflow import march
from qflow.engine import observations
from qflow.plan.plan import Plan
from qflow.quantization import FakeQuantize, prepare_plan, set_states
from qflow.tracing import Traced

Quantizers = Mapping[str, FakeQuantize]
"""By path in the prepared model."""


@dataclass(frozen=True)
class Watcher:
    """A model in the state calibration; fake-quantizers of other plans listen where its own do."""

    module: fx.GraphModule
    seen: Mapping[str, Quantizers]
    """Id of what a plan observes to those that observe for it."""


def watchers(traced: Traced, plans: Iterable[Plan]) -> list[Watcher]:
    """As few as there can be: plans that fuse alike and watch the same tensors share one."""
    distinct = {observations.id_of(plan): plan for plan in plans}
    found: dict[str, Watcher] = {}
    for id_, plan in distinct.items():
        module = _calibrating(traced, plan)
        own = dict(quantizers(module))
        there = found.get(places := observations.places(plan))
        if there is None:
            found[places] = Watcher(module, {id_: own})
            continue
        hosts = dict(quantizers(there.module))
        for path, listener in own.items():
            hosts[path].register_forward_pre_hook(partial(_listen, listener))
        found[places] = Watcher(there.module, {**there.seen, id_: own})
    return list(found.values())


def quantizers(module: nn.Module) -> list[tuple[str, FakeQuantize]]:
    """Every fake-quantizer by its path."""
    return [(path, m) for path, m in module.named_modules() if isinstance(m, FakeQuantize)]


def tensors(found: Quantizers) -> dict[str, Tensor]:
    """The states of all that saw data, as `<path>.<field>`."""
    return {
        f"{path}.{name}": tensor.detach().cpu().contiguous().clone()
        for path, quantizer in found.items()
        if quantizer.observing and quantizer.observed
        for name, tensor in quantizer.activation_post_process.state.tensors().items()
    }


def put_back(module: nn.Module, found: Mapping[str, Tensor]) -> None:
    """Let a model's fake-quantizers go on as if they had seen it themselves."""
    for path, quantizer in quantizers(module):
        names = quantizer.activation_post_process.state.tensors()
        state = {n: t for n in names if (t := found.get(f"{path}.{n}")) is not None}
        if state:
            quantizer.take_over(state)


def _calibrating(traced: Traced, plan: Plan) -> fx.GraphModule:
    module = prepare_plan(traced, plan, march.load(plan.target.march))
    stage = observations.observing(plan)
    assert stage is not None, "callers ask `observing` first"
    set_states(module, stage.states_at(0))
    return module


def _listen(listener: Callable[[Tensor], Any], _: nn.Module, args: tuple[Any, ...]) -> None:
    listener(args[0])

"""checkpoint: the statistics of all observers as tensors, so that a run can go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from torch import Tensor, nn

from qflow.quantization.statistics import Statistics


def observer_tensors(prepared: nn.Module) -> dict[str, Tensor]:
    """Every observer's state as `<path of the observer>.<field>`; the state dict holds the rest."""
    return {
        f"{path}.{name}": tensor
        for path, module in _observers(prepared)
        for name, tensor in module.state.tensors().items()
    }


def load_observer_tensors(prepared: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `observer_tensors` gave. Call it after `load_state_dict`,
    which restarts observers.

    Raises KeyError when a state is missing: the model was prepared by another plan.
    """
    for path, module in _observers(prepared):
        names = [f.name for f in fields(module.state)]
        module.state = replace(module.state, **{n: tensors[f"{path}.{n}"].clone() for n in names})


def _observers(prepared: nn.Module) -> list[tuple[str, Statistics]]:
    return [(p, m) for p, m in prepared.named_modules() if isinstance(m, Statistics)]

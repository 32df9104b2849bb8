"""prepared: the fake-quantized model of a run: made, saved, loaded, called."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor, fx, nn

from qflow.engine import files
from qflow.engine.work import STATE, Work
from qflow.quantization import (
    load_observer_tensors,
    observer_tensors,
    prepare_plan,
    set_states,
)
from qflow.tracing import name_outputs

_STATE, _OBSERVERS = "state/", "observers/"


def make(work: Work) -> fx.GraphModule:
    """The prepared model as the plan has it, with the checkpoint's weights and no scales."""
    return prepare_plan(work.model.traced, work.plan, work.march)


def load(work: Work, stage: str) -> fx.GraphModule:
    """The prepared model as a stage left it, in eval mode."""
    module = make(work)
    put_back(module, load_safetensors((work.made[stage].folder / STATE).read_bytes()))
    return module.eval()


def save(module: nn.Module, folder: Path) -> None:
    """Write every parameter and buffer, and what the observers have gathered."""
    files.write(folder / STATE, save_safetensors(tensors(module)))


def tensors(module: nn.Module) -> dict[str, Tensor]:
    """A copy of every parameter, buffer and observer state, by name."""
    found = {f"{_STATE}{k}": v for k, v in module.state_dict().items()}
    found |= {f"{_OBSERVERS}{k}": v for k, v in observer_tensors(module).items()}
    # safetensors takes no views: two keys that share memory are stored twice
    return {k: v.detach().cpu().contiguous().clone() for k, v in found.items()}


def put_back(module: nn.Module, found: Mapping[str, Tensor]) -> None:
    """Give a model what `tensors` took of it, or of a copy of it."""
    state = _below(found, _STATE)
    _grow_biases(module, state)
    module.load_state_dict(state)
    load_observer_tensors(module, _below(found, _OBSERVERS))


def _grow_biases(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Bias correction gives one to modules that had none."""
    for name, tensor in state.items():
        address, _, last = name.rpartition(".")
        if last == "bias" and (owner := module.get_submodule(address)).bias is None:
            owner.bias = nn.Parameter(tensor.clone())


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def set_all(module: nn.Module, work: Work, state: str) -> None:
    """Put every fake-quantizer of the plan into one state."""
    addresses = {address for stage in work.plan.stages for address, _ in stage.states}
    set_states(module, {address: state for address in sorted(addresses)})


def call(module: nn.Module, inputs: Mapping[str, np.ndarray], work: Work) -> dict[str, Tensor]:
    """Outputs by name, on inputs by name."""
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    return name_outputs(module(**tensors), tuple(p.name for p in work.plan.model.outputs))

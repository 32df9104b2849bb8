"""prepared: the fake-quantized model of a run: made, saved, loaded, called."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

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


def make(work: Work) -> nn.Module:
    """The prepared model as the plan has it, with the checkpoint's weights and no scales."""
    return prepare_plan(work.model.traced, work.plan, work.march)


def load(work: Work, stage: str) -> nn.Module:
    """The prepared model as a stage left it, in eval mode."""
    module = make(work)
    tensors = load_safetensors((work.made[stage].folder / STATE).read_bytes())
    module.load_state_dict(_below(tensors, _STATE))
    load_observer_tensors(module, _below(tensors, _OBSERVERS))
    return module.eval()


def save(module: nn.Module, folder: Path) -> None:
    """Write every parameter and buffer, and what the observers have gathered."""
    tensors = {f"{_STATE}{k}": v for k, v in module.state_dict().items()}
    tensors |= {f"{_OBSERVERS}{k}": v for k, v in observer_tensors(module).items()}
    # safetensors takes no views: two keys that share memory are stored twice
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    files.write(folder / STATE, save_safetensors(plain))


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

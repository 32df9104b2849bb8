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
from qflow.quantization import prepare_plan, set_states
from qflow.tracing import name_outputs


def make(work: Work) -> nn.Module:
    """The prepared model as the plan has it, with the checkpoint's weights and no scales."""
    return prepare_plan(work.model.traced, work.plan, work.march)


def load(work: Work, stage: str) -> nn.Module:
    """The prepared model as a stage left it, in eval mode."""
    module = make(work)
    raw = (work.made[stage].folder / STATE).read_bytes()
    module.load_state_dict(load_safetensors(raw))
    return module.eval()


def save(module: nn.Module, folder: Path) -> None:
    """Write every parameter and buffer."""
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in module.state_dict().items()}
    files.write(folder / STATE, save_safetensors(tensors))


def set_all(module: nn.Module, work: Work, state: str) -> None:
    """Put every fake-quantizer of the plan into one state."""
    addresses = {address for stage in work.plan.stages for address, _ in stage.states}
    set_states(module, {address: state for address in sorted(addresses)})


def call(module: nn.Module, inputs: Mapping[str, np.ndarray], work: Work) -> dict[str, Tensor]:
    """Outputs by name, on inputs by name."""
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    return name_outputs(module(**tensors), tuple(p.name for p in work.plan.model.outputs))

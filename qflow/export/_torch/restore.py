"""restore: the fake-quantized model of the two files that `export torch` writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, fx, nn

from qflow import march as marches
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.export._torch.state import PLAN
from qflow.plan import reader
from qflow.quantization import prepare_plan, set_states
from qflow.tracing import trace

if TYPE_CHECKING:
    from qflow.plan.plan import Plan, PortPlan

FREE = 2
"""What a free dimension is in an example."""


def restore(
    path: str | Path, model: nn.Module, inputs: Mapping[str, Tensor] | None = None
) -> fx.GraphModule:
    """The model prepared as the plan says, with the weights and scales of the file: in eval mode,
    every fake-quantizer in the state VALIDATION.

    `model` is the float model that was quantized; its own weights do not matter, and it stays as it
    is. `inputs`: an example per input name, needed where zeros of the declared shapes will not do.
    Nothing of the files is executed. Raises QflowError: QF302 without the file or its plan, QF318
    for a damaged one, QF305 and QF306 for a plan that cannot be read, QF310 where the weights are
    those of another model, and what tracing raises.
    """
    path = Path(path)
    beside = path.with_suffix(PLAN)
    data, text = _bytes(path), _bytes(beside)
    try:
        plan = reader.loads(text.decode(), name=beside.name)
        state = load_tensors(data)
    except (SafetensorError, UnicodeDecodeError) as why:
        raise _damaged(path, f"it cannot be read ({why})") from None
    module = _prepared(plan, model, inputs)
    _put(module, state, path)
    addresses = {address for stage in plan.stages for address, _ in stage.states}
    set_states(module, {address: "validation" for address in sorted(addresses)})
    return module.eval()


def _prepared(plan: Plan, model: nn.Module, inputs: Mapping[str, Tensor] | None) -> fx.GraphModule:
    spec = plan.model
    given = dict(inputs or {p.name: _zeros(p) for p in spec.inputs})
    outputs = tuple(p.name for p in spec.outputs)
    method = "example" if spec.trace == "example" else "symbolic"
    with torch.no_grad():
        found = trace(model, given, outputs, spec.source, plan.graph, method)
    return prepare_plan(found, plan, marches.load(plan.target.march))


def _put(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Raises QflowError QF310 for tensors that do not fit."""
    wanted = set(module.state_dict())
    for name in sorted(set(state) - wanted):
        address, _, last = name.rpartition(".")
        # bias correction gives one to modules that had none
        owner = dict(module.named_modules()).get(address)
        if last == "bias" and owner is not None and getattr(owner, "bias", 0) is None:
            owner.bias = nn.Parameter(state[name].clone())
    try:
        module.load_state_dict(dict(state))
    except RuntimeError as why:
        first = str(why).strip().splitlines()
        raise fail(
            Diagnostic(
                "QF310",
                f"`{path.name}` does not fit the model",
                notes=tuple(line.strip() for line in first[1:4]),
                help="give the float model that was quantized, of the same sizes",
            )
        ) from why


def _zeros(port: PortPlan) -> Tensor:
    dims = [FREE if isinstance(d, str) else d for d in port.dims]
    return torch.zeros(dims, dtype=getattr(torch, port.dtype))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as why:
        message = f"`{path.as_posix()}` cannot be read: {why.strerror}"
        raise fail(
            Diagnostic(
                "QF302", message, help="`export torch` writes both files; keep them together"
            )
        ) from None


def _damaged(path: Path, why: str) -> QflowError:
    return fail(Diagnostic("QF318", f"{path.name} is no state of a model: {why}"))

"""correction: biases that take back what rounding moves the mean of a layer's output by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization import layerwise
from qflow.quantization.layerwise import Run
from qflow.quantization.states import FakeQuantState, set_fake_quantize


@dataclass(frozen=True)
class Corrected:
    """What became of one layer."""

    address: str
    before: float
    """Squared error of the model's outputs without the correction of this layer."""
    after: float
    """The same with it."""

    @property
    def kept(self) -> bool:
        """Whether the correction stands; one that makes the outputs worse is undone."""
        return self.after < self.before


def bias_correction(
    float_model: nn.Module,
    model: fx.GraphModule,
    batches: Iterable[Any],
    batch_process_func: Callable[[Any], Any] | None = None,
    num_batches: int = 10,
) -> tuple[Corrected, ...]:
    """Correct the bias of every convolution and linear of a calibrated model, in place, in order.

    bias += mean over samples and places of (float - quantized); undone where the outputs get
    further from those of `float_model`. A layer without a bias gets one. Batches are as in
    `weight_reconstruction`. The model is left in evaluation mode and the state VALIDATION.
    """
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return correct(float_model, model, layerwise.runs_of(batches, batch_process_func, num_batches))


@torch.no_grad()
def correct(
    float_model: nn.Module,
    model: fx.GraphModule,
    runs: Sequence[Run],
    tell: Callable[[Corrected], None] = lambda _: None,
    kept: Sequence[str] = (),
) -> tuple[Corrected, ...]:
    """The same for a model in any states; `kept` are addresses whose biases stay."""
    if not runs:
        raise fail(
            Diagnostic("QF404", "there is no batch to work on", help="give it at least one batch")
        )
    twin = layerwise.float_twin(model)
    wanted = [_flat(run(float_model)) for run in runs]
    found = []
    best = _error(model, runs, wanted)
    for address in layerwise.gemms(model):
        if address in kept:
            continue
        module: Any = model.get_submodule(address)
        shift = _mean(twin, address, runs) - _mean(model, address, runs)
        old = module.bias
        base = torch.zeros_like(shift) if old is None else old.detach().double()
        trains = module.weight.requires_grad if old is None else old.requires_grad
        module.bias = nn.Parameter((base + shift).float(), requires_grad=trains)
        after = _error(model, runs, wanted)
        found.append(Corrected(address, best, after))
        tell(found[-1])
        if found[-1].kept:
            best = after
        else:
            module.bias = old
    return tuple(found)


def _mean(model: fx.GraphModule, address: str, runs: Sequence[Run]) -> Tensor:
    """Mean of a layer's product per output channel, float64 [channels]."""
    last = layerwise.channels_last(model.get_submodule(address))
    total, count = torch.zeros(()).double(), 0
    for batch in layerwise.seen(model, address, runs):
        for call in batch:
            rows = call.product.double().movedim(-1 if last else 1, 0).flatten(1)
            total = total + rows.sum(dim=1)
            count += rows.shape[1]
    return total / count


def _flat(outputs: Any) -> Tensor:
    return torch.cat([t.detach().double().flatten() for t in layerwise.tensors_in(outputs)])


def _error(model: nn.Module, runs: Sequence[Run], wanted: Sequence[Tensor]) -> float:
    """Mean squared distance of all outputs."""
    squares = [(_flat(r(model)) - w).square() for r, w in zip(runs, wanted, strict=True)]
    return torch.cat(squares).mean().item()

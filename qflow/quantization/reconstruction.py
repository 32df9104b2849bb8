"""reconstruction: weights moved so that rounding takes the direction that costs the layer least.

AdaRound (Nagel et al., Up or Down?, 2020), equations 21 to 24: per weight a variable between
rounding down and up is learned on what reaches the layer in the quantized model, against what the
layer gives in the float model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, fx

from qflow import registry
from qflow.diagnostics import Diagnostic, fail
from qflow.quantization import layerwise
from qflow.quantization.key_names import WEIGHT
from qflow.quantization.layerwise import Run, Seen
from qflow.quantization.reconstruction_settings import Reconstruction
from qflow.quantization.states import FakeQuantState, set_fake_quantize

LOW, HIGH = -0.1, 1.1
"""The sigmoid is stretched to these, so that it reaches 0 and 1 (gamma and zeta)."""


@dataclass(frozen=True)
class Rounded:
    """What became of one layer."""

    address: str
    before: float
    """Squared error of its output, rounding to the nearest."""
    after: float
    """The same as it is now; never above `before`."""
    turned: float
    """The share of its weights that are not rounded to the nearest any more."""


def weight_reconstruction(
    calib_model: fx.GraphModule,
    batches: Iterable[Any],
    batch_process_func: Callable[[Any], Any] | None = None,
    custom_config_dict: Mapping[str, Any] | None = None,
) -> tuple[Rounded, ...]:
    """AdaRound over every convolution and linear of a calibrated model, in place, in order.

    A batch is a tensor, a sequence of arguments, or arguments by name; `batch_process_func` may
    make it that. `custom_config_dict` has the fields of `Reconstruction`. The model is left in
    evaluation mode and the state VALIDATION. Raises QflowError QF110 for another key, QF111 for a
    value, QF401 when the model was never calibrated.
    """
    config = _config(custom_config_dict or {})
    calib_model.eval()
    set_fake_quantize(calib_model, FakeQuantState.VALIDATION)
    runs = layerwise.runs_of(batches, batch_process_func, config.num_batches)
    return reconstruct(calib_model, runs, config)


def reconstruct(
    model: fx.GraphModule,
    runs: Sequence[Run],
    config: Reconstruction,
    tell: Callable[[Rounded], None] = lambda _: None,
    kept: Sequence[str] = (),
) -> tuple[Rounded, ...]:
    """The same for a model in any states; `kept` are addresses whose weights stay.

    Inputs of a layer come through the quantized layers before it, as they are by then.
    """
    if not runs:
        raise fail(
            Diagnostic("QF404", "there is no batch to work on", help="give it at least one batch")
        )
    target = layerwise.float_twin(model)
    found = []
    for address in layerwise.gemms(model):
        if address in kept or address.startswith(tuple(config.exclude_prefix)):
            continue
        inputs = [s for batch in layerwise.seen(model, address, runs) for s in batch]
        wanted = [s.output for batch in layerwise.seen(target, address, runs) for s in batch]
        found.append(_layer(model.get_submodule(address), address, inputs, wanted, config))
        tell(found[-1])
    return tuple(found)


def _layer(
    module: Any, address: str, inputs: list[Seen], wanted: list[Tensor], config: Reconstruction
) -> Rounded:
    grid = module.get_submodule(WEIGHT).grid
    scale = layerwise.weight_scale(module)
    with torch.no_grad():
        steps = module.weight.detach() / scale
        down = torch.floor(steps)
        nearest = module.get_submodule(WEIGHT).quantized(module.weight.detach()) / scale
        nearest = torch.round(nearest)
        # where the variable begins, rounding is what it would be without any: down + rest
        rest = (steps - down).clamp(0.01, 0.99)
    variable = torch.logit((rest - LOW) / (HIGH - LOW)).requires_grad_(True)
    pairs = list(zip(inputs, wanted, strict=True))

    def error(integers: Tensor, pair: tuple[Seen, Tensor]) -> Tensor:
        call, aim = pair
        weight = integers.clamp(grid.qmin, grid.qmax) * scale
        bias = None if module.bias is None else module.bias.detach()
        output = module.finish(module.product(call.x, weight, bias), call.residual)
        axis = -1 if layerwise.channels_last(module) else 1
        return (output - aim).square().sum(dim=axis).mean()

    optimizer = torch.optim.Adam([variable], lr=config.lr, foreach=False)
    for step in range(config.num_steps):
        up = _stretched(variable)
        loss = error(down + up, pairs[step % len(pairs)])
        done = (step / config.num_steps - config.warm_up) / (1 - config.warm_up)
        if done >= 0:
            first, last = config.b_range
            exponent = last + (first - last) * (1 - done)
            loss = loss + config.weight * (1 - (2 * up - 1).abs() ** exponent).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        learned = (down + (_stretched(variable) >= 0.5)).clamp(grid.qmin, grid.qmax)
        before = math.fsum(error(nearest, p).item() for p in pairs) / len(pairs)
        after = math.fsum(error(learned, p).item() for p in pairs) / len(pairs)
        if after >= before:
            return Rounded(address, before, before, 0.0)
        turned = learned != nearest
        # only what is rounded otherwise moves: the float model keeps the rest of its weights
        module.weight.copy_(torch.where(turned, learned * scale, module.weight))
    return Rounded(address, before, after, turned.float().mean().item())


def _stretched(variable: Tensor) -> Tensor:
    return (torch.sigmoid(variable) * (HIGH - LOW) + LOW).clamp(0, 1)


def _config(given: Mapping[str, Any]) -> Reconstruction:
    known = tuple(f.name for f in fields(Reconstruction))
    for name in given:
        if name not in known:
            near = registry.nearest(name, known) or known
            raise fail(
                Diagnostic(
                    "QF110",
                    f"weight reconstruction has no setting `{name}`",
                    notes=(f"the nearest: {', '.join(f'`{n}`' for n in near)}",),
                )
            )
    try:
        return Reconstruction(**given)
    except (TypeError, ValueError) as error:
        raise fail(Diagnostic("QF111", f"weight reconstruction: {error}")) from error

"""layerwise: one convolution or linear at a time, in execution order, on what really reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic
from qflow.quantization.example_inputs import arguments
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.key_names import WEIGHT
from qflow.quantization.saying import say
from qflow.tracing.fused import Fused
from qflow.tracing.with_bn import WithBN

Run = Callable[[nn.Module], Any]
"""Computes a model on one batch."""


class _Enough(BaseException):
    """Every call of a layer was seen: the rest of the forward is of no use."""


@dataclass(frozen=True)
class Seen:
    """One call of a layer: what went in, and what came out before its own fake-quantizer."""

    x: Tensor
    residual: Tensor | None
    product: Tensor
    """Of the convolution or linear alone."""
    output: Tensor
    """With residual and activation."""


def gemms(prepared: fx.GraphModule) -> tuple[str, ...]:
    """Addresses whose weight is rounded in the present states, in execution order.

    Modules that keep their batch norm are left out, with a warning QF273: what is rounded there is
    not the weight but the weight with the batch norm in it.
    """
    called = dict.fromkeys(str(n.target) for n in prepared.graph.nodes if n.op == "call_module")
    rounded = [a for a in called if _rounds(prepared.get_submodule(a))]
    norms = [a for a in rounded if isinstance(prepared.get_submodule(a), WithBN)]
    say(
        Diagnostic(
            "QF273",
            f"`{address}` keeps its batch norm and is left as it is",
            help="fold it first: `fold_batch_norm(model)`",
            severity="warning",
        )
        for address in norms
    )
    return tuple(a for a in rounded if a not in norms)


def _rounds(module: nn.Module) -> bool:
    quantizer = module._modules.get(WEIGHT)
    mine = isinstance(module, Fused) and isinstance(quantizer, FakeQuantize)
    return mine and bool(quantizer.quantizing)  # type: ignore[union-attr]


def weight_scale(module: nn.Module) -> Tensor:
    """The scale of a layer's weight in a shape that broadcasts against it."""
    quantizer: Any = module.get_submodule(WEIGHT)
    scale: Tensor = quantizer.scale.detach()
    if quantizer.axis is None:
        return scale
    weight = module.get_parameter("weight")
    return scale.reshape([-1 if d == quantizer.axis else 1 for d in range(weight.dim())])


def channels_last(module: nn.Module) -> bool:
    """Whether the output channels are the last axis: of a linear; else they are axis 1."""
    return isinstance(module, nn.Linear)


def float_twin(prepared: fx.GraphModule) -> fx.GraphModule:
    """A copy in which nothing is observed and nothing rounded."""
    twin = deepcopy(prepared).eval()
    for quantizer in (m for m in twin.modules() if isinstance(m, FakeQuantize)):
        quantizer.observing = quantizer.quantizing = False
    return twin


@torch.no_grad()
def seen(prepared: fx.GraphModule, address: str, runs: Iterable[Run]) -> Iterator[list[Seen]]:
    """Per batch the calls of one layer; nothing behind it is computed."""
    module: Any = prepared.get_submodule(address)
    calls = sum(1 for n in prepared.graph.nodes if str(n.target) == address)
    product, finish = module.product, module.finish
    for run in runs:
        found: list[Seen] = []
        inputs: list[Tensor] = []

        def note(x: Tensor, weight: Tensor, bias: Tensor | None, inputs: Any = inputs) -> Tensor:
            inputs.append(x)
            return product(x, weight, bias)  # type: ignore[no-any-return]

        def end(
            y: Tensor, residual: Tensor | None, inputs: Any = inputs, to: Any = found
        ) -> Tensor:
            output: Tensor = finish(y, residual)
            to.append(Seen(inputs.pop(), residual, y, output))
            if len(to) == calls:
                raise _Enough
            return output

        vars(module).update(product=note, finish=end)
        try:
            run(prepared)
        except _Enough:
            pass
        finally:
            del vars(module)["product"], vars(module)["finish"]
        yield found


def runs_of(
    batches: Iterable[Any], process: Callable[[Any], Any] | None, most: int
) -> tuple[Run, ...]:
    """The first `most` batches as functions of a model.

    A batch, after `process` if there is one, is a tensor, a sequence of arguments, or arguments by
    name.
    """
    return tuple(_run(b if process is None else process(b)) for b in islice(batches, most))


def _run(batch: Any) -> Run:
    args, kwargs = arguments(batch)
    return lambda model: model(*args, **kwargs)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every float tensor of a model's result, whatever holds it."""
    if isinstance(value, Tensor):
        if value.is_floating_point():
            yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from tensors_in(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_in(part)

"""traced: from a float model to its graph and inventory."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.plan.inventory import Inventory
from qflow.plan.plan import GraphSpec
from qflow.tracing.arguments import bind
from qflow.tracing.call import set_output_names
from qflow.tracing.facts import note_calls
from qflow.tracing.generated import generate
from qflow.tracing.inplace import follow_overwrites
from qflow.tracing.inventory import inventory_of, outputs_of
from qflow.tracing.tracer import record
from qflow.tracing.trial import try_forward
from qflow.tracing.values import values_of


@dataclass(frozen=True)
class Traced:
    """A model as a graph of module calls, and what the front half may know of it."""

    module: fx.GraphModule
    """Takes the declared inputs, by name or in declared order; returns what it does."""
    inventory: Inventory
    notes: tuple[Diagnostic, ...] = ()
    """What a person should know of the trace: decisions that values took, stubs that were added."""


def trace(
    model: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: tuple[str, ...],
    entry: str,
    graph: GraphSpec | None = None,
) -> Traced:
    """Trace a copy of the model in evaluation mode; the model itself is left alone.

    `inputs` holds one example per declared input, batch first. Raises QflowError: QF312 (cannot be
    copied, wrapped, or its outputs named), QF313 (cannot take the inputs), QF314 (branches).
    """
    copy = _copy(model)
    _refuse_clashes(model, inputs)
    arguments = bind(copy, tuple(inputs))
    try_forward(copy, arguments, inputs)
    module = fx.GraphModule(copy, record(copy, arguments, graph or GraphSpec()))
    values = values_of(module, inputs)
    follow_overwrites(module, values)
    generate(module, values)
    set_output_names(module.graph, outputs)
    outputs_of(module.graph)
    note_calls(module, values)
    return Traced(module, inventory_of(module.graph, entry))


def dead_modules(model: nn.Module, traced: Traced) -> tuple[str, ...]:
    """Addresses of modules that `forward` never runs, nor anything inside or around them."""
    live = [m.address for m in traced.inventory.modules]
    inside = {".".join(a.split(".")[:n]) for a in live for n in range(1, a.count(".") + 2)}
    dead = (a for a, _ in model.named_modules() if a and a not in inside)
    return tuple(a for a in dead if not any(a.startswith(f"{b}.") for b in live))


def _copy(model: nn.Module) -> nn.Module:
    try:
        return deepcopy(model).eval()
    except RuntimeError as error:
        raise fail(
            Diagnostic(
                "QF312",
                f"`{type(model).__name__}` cannot be copied: {error}",
                help="register tensors the model keeps as buffers, or detach them",
            )
        ) from error


def _refuse_clashes(model: nn.Module, inputs: Mapping[str, Tensor]) -> None:
    taken = {address for address, _ in model.named_modules()}
    if clash := next((name for name in inputs if name in taken), None):
        raise fail(
            Diagnostic(
                "QF313",
                f"the input `{clash}` has the name of a module, so addresses would be ambiguous",
                help="give the input another name; then inputs are passed in order",
            )
        )

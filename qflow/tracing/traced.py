"""traced: from a float model to its graph and inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.plan.inventory import Inventory
from qflow.plan.plan import GraphSpec
from qflow.tracing import given as givens
from qflow.tracing.call import output_node, set_output_paths
from qflow.tracing.example import record_example
from qflow.tracing.facts import note_calls
from qflow.tracing.generated import generate
from qflow.tracing.given import Given, fixed_arguments
from qflow.tracing.inplace import follow_overwrites
from qflow.tracing.inventory import inventory_of
from qflow.tracing.outputs import name_outputs
from qflow.tracing.parametric import CLASSES, classes_of
from qflow.tracing.replay import reference, refuse_frozen, repeatable
from qflow.tracing.results import Path, paths
from qflow.tracing.returned import keep_kinds
from qflow.tracing.stubbing import add_constants, add_stubs
from qflow.tracing.tracer import record
from qflow.tracing.values import values_of

Method = Literal["symbolic", "example"]
"""`symbolic` follows stand-ins for tensors and refuses decisions on values; `example` runs the real
forward on the example and goes the way it goes."""


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
    method: Method = "symbolic",
    stubs: bool = True,
) -> Traced:
    """Trace a copy of the model in evaluation mode; the model itself is left alone.

    `inputs` holds one example per declared input, batch first. A model without stubs gets them at
    its inputs and outputs, unless `stubs` is False. Raises QflowError: QF312 (cannot be copied,
    wrapped, or its outputs named), QF313 (cannot take the inputs), QF314 (branches, symbolic only),
    QF227 (an example does not repeat itself).
    """
    copy = _copy(model)
    _refuse_clashes(model, inputs)
    given = givens.by_name(copy, inputs)

    def named(result: Any) -> dict[str, Path]:
        name_outputs(result, outputs)
        if isinstance(result, Mapping):
            return {n: (n,) for n in outputs}
        if isinstance(result, (tuple, list)):
            return {n: (i,) for i, n in enumerate(outputs)}
        return dict.fromkeys(outputs, ())

    return _traced(copy, given, named, entry, graph or GraphSpec(), method, stubs)


def trace_call(
    model: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    graph: GraphSpec | None = None,
    method: Method = "example",
    stubs: bool = True,
) -> Traced:
    """Trace a copy of the model on one call of it; the model itself is left alone.

    Arguments and results nest freely in tuples, lists and dictionaries; the traced module takes and
    returns the same. What is no tensor is what it was on the example. Inputs and outputs have the
    names given, one per tensor, or those of `given.by_call` and `results.paths`; without names,
    what a wrapped call returns is one output, and may hold something else in training. Raises as
    `trace`.
    """
    copy = _copy(model)
    given = givens.by_call(copy, args, kwargs or {}, input_names)
    _refuse_clashes(model, given.tensors)

    def named(result: Any) -> dict[str, Path]:
        return paths(result, output_names)

    spec, entry = graph or GraphSpec(), type(model).__name__
    # names are per tensor, so what a wrapped call returns is taken apart for them
    traced = _traced(copy, given, named, entry, spec, method, stubs, whole=output_names is None)
    return replace(traced, notes=(*traced.notes, *fixed_arguments(given)))


def _traced(
    copy: nn.Module,
    given: Given,
    named: Any,
    entry: str,
    graph: GraphSpec,
    method: Method,
    stubs: bool,
    whole: bool = False,
) -> Traced:
    notes: tuple[Diagnostic, ...] = ()
    unseen = False
    classes = classes_of(copy)
    with repeatable() as again:
        found = reference(copy, given)
        again()
        if method == "symbolic":
            recorded, exact = record(copy, given, graph), True
        else:
            example = record_example(copy, given, graph, whole)
            recorded, notes, exact = example.graph, example.notes, example.exact
            unseen = example.unseen
        module = fx.GraphModule(copy, recorded)
        module.meta[CLASSES] = classes
        again()
        values = values_of(module, [v for _, v in given.parameters], found.compare)
        if unseen:
            refuse_frozen(copy, module, given, notes)
    if method == "example":
        found.refuse_differences(exact)
    follow_overwrites(module, values)
    names = generate(module, values)
    set_output_paths(module.graph, named(output_node(module.graph).args[0]))
    if stubs:
        notes += add_stubs(module, values, names)
    add_constants(module, values, names)
    note_calls(module, values)
    keep_kinds(module, found.kinds)
    # children that were generated are as new
    module.eval()
    return Traced(module, inventory_of(module.graph, entry), notes)


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

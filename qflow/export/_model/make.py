"""make: `export`: the integer model of a prepared model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qflow import march as marches
from qflow.diagnostics import Diagnostic, fail
from qflow.emulation.lowering import lower
from qflow.emulation.runtimes._calls import given
from qflow.export._model import legal
from qflow.export._model.cut import without_impossible_tails
from qflow.export._model.graph_structure import structure_of
from qflow.export._model.model import IntegerModel
from qflow.export._model.structure import Structure
from qflow.quantization.example_inputs import arguments

if TYPE_CHECKING:
    from torch import fx, nn

    from qflow.emulation.graph import IntegerGraph
    from qflow.march import March


def export(
    model: nn.Module,
    example_inputs: Any,
    *,
    name: str = "forward",
    input_names: Any = None,
    output_names: Any = None,
    example_kw_inputs: Mapping[str, Any] | None = None,
) -> IntegerModel:
    """The integers that the march computes for a prepared, calibrated model; the model stays.

    `example_inputs` is a tensor, or the tuple of arguments; a mapping at the top means arguments by
    name. It must be in eval mode with every fake-quantizer in VALIDATION. Names of inputs and
    outputs are given in order, in any nesting. What runs outside of the stubs is not part of the
    result and is said in its `notes`; then it is called with the tensors its quantizes read, and
    returns what its dequantizes give.

    Raises QflowError: QF260 without fake-quantizers, QF261 in a wrong mode or state, QF401 for
    scales that no data reached, QF262 and QF502 for what has no integers, QF312 and QF313 for names
    and inputs that do not fit.
    """
    legal.require_prepared(model)
    legal.require_validation(model)
    args, kwargs = arguments(example_inputs, example_kw_inputs)
    march = march_of(model)
    prepared = as_graph(model, args, kwargs, march)
    made = integer_model(prepared, march, name)
    made = _renamed(made, _flat(input_names), _flat(output_names))
    if not made.outside:
        given(made.graph, made.tensors(args, kwargs))
    return made


def integer_model(prepared: fx.GraphModule, march: March, name: str = "forward") -> IntegerModel:
    """The same of a graph that is known to be in the right state."""
    from qflow.quantization.recording import record

    recorded = without_impossible_tails(record(prepared))
    legal.require_integers(recorded)
    graph = lower(recorded, march, march.profile, "float").graph
    outside = recorded.outside
    if outside:
        text = ", ".join(f"`{a}`" for a in outside)
        graph = replace(graph, notes=(*graph.notes, f"not part of this model: {text}"))
    return IntegerModel(graph, _structure(prepared, graph), name, outside)


def march_of(model: nn.Module) -> March:
    """The march a model was prepared for; else the one that is set. Raises QflowError QF251."""
    from qflow.march.current import required
    from qflow.quantization.facts import facts_of

    facts = facts_of(model)
    return required() if facts is None else marches.load(facts.march)


def as_graph(
    model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], march: March
) -> fx.GraphModule:
    """The model as a graph whose calls know their grids: itself, or an eager one traced."""
    from torch import fx

    from qflow.quantization.eager_trace import as_prepared, trace_eager

    if isinstance(model, fx.GraphModule):
        return model
    return as_prepared(trace_eager(model, args, kwargs), model, march)


def _structure(prepared: fx.GraphModule, graph: IntegerGraph) -> Structure:
    """That of the model, or a flat one where the model does more than the integers."""
    whole = structure_of(prepared.graph)
    inputs = [graph.by_id[i].address for i in graph.inputs]
    outputs = [name for name, _ in graph.outputs]
    same = set(inputs) <= {n for n, _, _ in whole.inputs}
    if same and sorted(outputs) == sorted(whole.outputs):
        return whole
    return Structure.flat(inputs, outputs)


def _renamed(
    made: IntegerModel, inputs: Sequence[str] | None, outputs: Sequence[str] | None
) -> IntegerModel:
    before = [n for n, _, _ in made.structure.inputs]
    read = dict(_paired("QF313", "input", before, inputs))
    taken = dict(_paired("QF312", "output", list(made.structure.outputs), outputs))
    graph = made.graph
    nodes = tuple(
        replace(n, address=read.get(n.address, n.address)) if n.op == "input" else n
        for n in graph.nodes
    )
    ends = tuple((taken.get(name, name), id_) for name, id_ in graph.outputs)
    return replace(
        made,
        graph=replace(graph, nodes=nodes, outputs=ends),
        structure=made.structure.renamed(read, taken),
    )


def _paired(
    code: str, what: str, before: Sequence[str], names: Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    if names is None:
        return
    if len(names) != len(before) or len(set(names)) != len(names):
        raise fail(
            Diagnostic(
                code,
                f"{len(names)} {what} names are given for {len(before)} tensors",
                notes=(f"they are called {', '.join(before)} now",),
                help=f"give one {what} name per tensor, each another, in their order",
            )
        )
    yield from zip(before, names, strict=True)


def _flat(names: Any) -> list[str] | None:
    if names is None:
        return None
    if isinstance(names, str):
        return [names]
    parts = names.values() if isinstance(names, Mapping) else names
    return [name for part in parts for name in (_flat(part) or [])]

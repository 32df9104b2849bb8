"""inventory: the traced graph as the front half sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torch import fx

from qflow.plan.inventory import Edge, Inventory, Module
from qflow.tracing.call import call_of, operands, output_names, output_node, producer
from qflow.tracing.outputs import name_outputs


def inventory_of(graph: fx.Graph, entry: str) -> Inventory:
    """Every input, every module that runs, in execution order, every output."""
    modules: dict[str, Module] = {}
    for node in graph.nodes:
        if (call := call_of(node)) is None:
            continue
        known = modules.get(call.address)
        modules[call.address] = (
            replace(known, calls=known.calls + 1, macs=known.macs + call.macs)
            if known
            else Module(
                call.address,
                call.type,
                call.op,
                call.shape,
                detail=call.detail,
                weights=call.weights,
                macs=call.macs,
                float_only=call.float_only,
            )
        )
    for name, node in outputs_of(graph).items():
        source = producer(node)
        shape = modules[address_of(source)].shape if source else ()
        modules[f"output.{name}"] = Module(f"output.{name}", "output", "output", shape)
    edges = tuple(dict.fromkeys(_edges(graph)))
    return Inventory(model=entry, modules=tuple(modules.values()), edges=edges)


def outputs_of(graph: fx.Graph) -> dict[str, fx.Node]:
    """Declared output name to the node it returns."""
    return name_outputs(output_node(graph).args[0], output_names(graph))


def address_of(node: fx.Node) -> str:
    """Address of a call, or name of an input."""
    call = call_of(node)
    assert call is not None
    return call.address


def _edges(graph: fx.Graph) -> Iterator[Edge]:
    for node in graph.nodes:
        if call := call_of(node):
            for slot, source in enumerate(map(producer, operands(node))):
                if source is not None:
                    yield Edge(address_of(source), call.address, slot)
    for name, node in outputs_of(graph).items():
        if source := producer(node):
            yield Edge(address_of(source), f"output.{name}", 0)

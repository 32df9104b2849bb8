"""inventory: the traced graph as the front half sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torch import fx

from qflow.plan.inventory import Edge, Inventory, Module
from qflow.tracing.blocks import placed
from qflow.tracing.call import (
    Call,
    call_of,
    calls_of,
    inner_of,
    operands,
    output_node,
    output_paths,
    producer,
)
from qflow.tracing.inner import RAN, ran
from qflow.tracing.results import at


def inventory_of(graph: fx.Graph, entry: str) -> Inventory:
    """Every input, every module that runs, in execution order, every output."""
    modules: dict[str, Module] = {}
    for node in graph.nodes:
        for call in calls_of(node):
            scope = _scope(node, call)
            known = modules.get(call.address)
            modules[call.address] = (
                replace(known, calls=known.calls + 1, macs=known.macs + call.macs)
                if known
                else _module(call, scope)
            )
    for name, node in outputs_of(graph).items():
        source = producer(node)
        # of this call: a module that runs several times may give another shape each time
        call = call_of(source) if source else None
        shape = call.shape if call else ()
        modules[f"output.{name}"] = Module(f"output.{name}", "output", "output", shape)
    edges = tuple(dict.fromkeys(_edges(graph)))
    return Inventory(model=entry, modules=tuple(modules.values()), edges=edges)


def _module(call: Call, scope: str) -> Module:
    return Module(
        call.address,
        call.type,
        call.op,
        call.shape,
        detail=call.detail,
        weights=call.weights,
        macs=call.macs,
        float_only=call.float_only,
        scope=scope,
    )


def _scope(node: fx.Node, call: Call) -> str:
    """What runs inside a call has a scope of its own each: it cannot be fused."""
    if call is not call_of(node):
        return call.address
    place = placed(node)
    return place.block if place else ""


def outputs_of(graph: fx.Graph) -> dict[str, fx.Node]:
    """Declared output name to the node it returns."""
    result = output_node(graph).args[0]
    return {name: at(result, path) for name, path in output_paths(graph).items()}


def address_of(node: fx.Node) -> str:
    """Address of a call, or name of an input."""
    call = call_of(node)
    assert call is not None
    return call.address


def _edges(graph: fx.Graph) -> Iterator[Edge]:
    for node in graph.nodes:
        if call := call_of(node):
            yield from _whole_edges(node, call) if RAN in node.meta else _plain_edges(node, call)
    for name, node in outputs_of(graph).items():
        if source := producer(node):
            yield Edge(address_of(source), f"output.{name}", 0)


def _plain_edges(node: fx.Node, call: Call) -> Iterator[Edge]:
    for slot, source in enumerate(map(producer, operands(node))):
        if source is not None:
            yield Edge(address_of(source), call.address, slot)


def _whole_edges(node: fx.Node, call: Call) -> Iterator[Edge]:
    """What runs inside reads what it read on the example; the call reads what is left."""
    sources = [producer(n) for n in operands(node)]

    def address(origin: str | int) -> str | None:
        if isinstance(origin, str):
            return origin
        source = sources[origin]
        return address_of(source) if source else None

    for inner in inner_of(node):
        for slot, origins in enumerate(inner.sources):
            for source in map(address, origins):
                if source and source != inner.call.address:
                    yield Edge(source, inner.call.address, slot)
    for slot, origin in enumerate(sorted(ran(node).reads, key=lambda o: (isinstance(o, str), o))):
        if source := address(origin):
            yield Edge(source, call.address, slot)

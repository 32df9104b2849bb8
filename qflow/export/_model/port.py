"""port: an input or output of an integer model: its name, and the grid of its integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.emulation.layout import TO_NCHW, TO_NHWC
from qflow.emulation.op import runnable
from qflow.emulation.profile import profile

if TYPE_CHECKING:
    import numpy as np

    from qflow.emulation.graph import IntegerGraph, Node

_MOVES = ("reshape", "flatten")


@dataclass(frozen=True, eq=False)
class Port:
    name: str
    shape: tuple[int, ...]
    """With the batch of the example; the batch is free."""
    dtype: str
    """Of its integers: int8, int16, int32 (an accumulator); float32 where it has none."""
    scale: np.ndarray | None
    """float32 [1], or [channels] along `axis`: real value = (integer - zero_point) * scale."""
    zero_point: int
    axis: int | None
    """The channels of an accumulator; None for one scale."""
    layout: str
    """nchw or nhwc for images, empty otherwise."""
    source: str
    """Id of the node that holds the integers."""


def inputs_of(graph: IntegerGraph) -> tuple[Port, ...]:
    """One per input, on the grid of the quantize that reads it."""
    ports = []
    for id_ in graph.inputs:
        node = graph.by_id[id_]
        readers = [graph.by_id[u] for u in graph.users[id_]]
        quantized = next((r for r in readers if r.op == "quantize"), node)
        ports.append(_port(node.address, quantized, "nchw" if len(node.output.shape) == 4 else ""))
    return tuple(ports)


def outputs_of(graph: IntegerGraph) -> tuple[Port, ...]:
    """One per output, on the grid of the integers that are dequantized for it."""
    layouts = _layouts(graph)
    ports = []
    for name, id_ in graph.outputs:
        node = graph.by_id[id_]
        while node.op == "dequantize":
            node = graph.by_id[node.inputs[0]]
        ports.append(_port(name, node, layouts[node.id]))
    return tuple(ports)


def _port(name: str, node: Node, layout: str) -> Port:
    type_ = node.output
    return Port(
        name=name,
        shape=tuple(type_.shape),
        dtype=type_.dtype,
        scale=type_.scale,
        zero_point=type_.zero_point,
        axis=type_.axis,
        layout=layout,
        source=node.id,
    )


def _layouts(graph: IntegerGraph) -> dict[str, str]:
    """Per node the layout its values have as an image, followed through permutes."""
    found: dict[str, str] = {}
    own = profile(graph.profile).own
    for node in graph.nodes:
        before = found[node.inputs[0]] if node.inputs else "nchw"
        if len(node.output.shape) != 4 or node.op in _MOVES:
            found[node.id] = ""
        elif node.op == "permute":
            turned = {("nchw", TO_NHWC): "nhwc", ("nhwc", TO_NCHW): "nchw"}
            found[node.id] = turned.get((before, tuple(node.attributes["dims"])), "")
        else:
            found[node.id] = "nchw" if runnable(node.op, own).image else before
    return found

"""tables: a function of single values that TFLite has no operator for, read from a table.

CAST makes a byte an index, ADD moves it to the first entry of its channel, GATHER reads: operators
with integer kernels under every resolver. The entries are what qflow's own integers give for every
value, so nothing is lost, whatever the function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.profile import profile
from qflow.emulation.runtimes._calls import call_of
from qflow.export._tflite.context import Context, refused

if TYPE_CHECKING:
    from qflow.emulation.graph import Node


def of_node(node: Node, context: Context) -> None:
    """A node with one operand as a table of it."""
    of_chain([node], context)


def of_chain(nodes: Sequence[Node], context: Context, axis: int | None = None) -> None:
    """Nodes one after the other, from integers to integers, as one table.

    `axis` is that of the channels, each of which has a table of its own.
    """
    first, last = nodes[0], nodes[-1]
    source = context.values(first.inputs[0])
    if source.dtype not in ("int8", "int16"):
        raise refused(last, f"a table is not read by {source.dtype}")
    info = np.iinfo(source.dtype)
    every = np.arange(info.min, info.max + 1)
    shape = [1] * len(source.shape)
    channels = 1 if axis is None else source.shape[axis]
    view = [every.size, *shape[1:]]
    if axis is not None:
        view[axis] = channels
        shape[axis] = channels
    values = np.broadcast_to(every.reshape(-1, *[1] * (len(view) - 1)), view)
    entries = _ran(nodes, values, context).astype(last.output.dtype)
    # [value, channel] to one table behind the other
    table = (
        np.moveaxis(entries, axis or 0, 0).reshape(channels, -1) if axis else entries.ravel()[None]
    )
    start = np.arange(channels, dtype=np.int32) * every.size - info.min
    wide = context.like(
        last, f"{last.id}/wide", dtype="int32", shape=source.shape, scale=None, zero_point=0
    )
    context.put("CAST", [source], wide, "Cast", 1)
    index = context.like(
        last, f"{last.id}/index", dtype="int32", shape=source.shape, scale=None, zero_point=0
    )
    first_entry = context.constant(f"{last.id}/start", start.reshape(shape).astype(np.int32))
    context.put("ADD", [wide, first_entry], index, "Add", 1, fusedActivationFunction=0)
    grid = {"scale": last.output.scale, "zero_point": last.output.zero_point}
    flat = context.constant(f"{last.id}/table", np.ascontiguousarray(table).ravel(), **grid)
    made = context.like(last, shape=source.shape)
    context.finish(last, context.put("GATHER", [flat, index], made, "Gather", 2, axis=0))


def _ran(nodes: Sequence[Node], values: np.ndarray, context: Context) -> np.ndarray:
    """What qflow computes for the values, node by node."""
    rule = profile(context.graph.profile)
    found = values.astype(np.int64)
    for node in nodes:
        call = call_of(context.graph, node, rule)
        found = call.operator.oracle(call, found)
    return found

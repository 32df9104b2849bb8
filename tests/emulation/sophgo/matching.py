"""Which node of qflow's integer graph is which operator of the vendor's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from qflow.emulation.graph import IntegerGraph
from tests.emulation.sophgo.vectors import Case

INTEGERS = ("i8", "u8", "si8", "ui8")
CASTS = ("tpu.Cast", "tpu.GenericCpu")
INSERTED = ("__softmax", "_reshape")
"""What the vendor appends to the names of operators it splits."""
MOVED = "_to_"
PADDED = "_pad_edge"
"""What the vendor appends to the name of an operand that it pads for a resize."""


@dataclass(frozen=True)
class Match:
    """One operator of the vendor that gives integers on a grid."""

    op: Mapping[str, Any]
    tensor: str
    """Name of the vendor's tensor."""
    node: str | None
    """Id of qflow's node with the same values; None: there is none."""


def matches(case: Case, graph: IntegerGraph) -> Iterator[Match]:
    """Every operator of a case whose result is integers on a grid, in order."""
    for op in case.ops:
        out, type_ = op["outs"][0], op["out_types"][0]
        if out is None or type_ is None or type_.get("type") not in INTEGERS:
            continue
        tensor = out[2:]
        yield Match(op, tensor, _node(op, tensor, graph))


def _node(op: Mapping[str, Any], tensor: str, graph: IntegerGraph) -> str | None:
    known = graph.by_id
    if op["type"] in CASTS:
        source = op["ins"][0][2:]
        for suffix in INSERTED:
            source = source.removesuffix(suffix)
        quant = f"{source}.quant"
        return quant if quant in known else source if source in known else None
    if tensor in known:
        return tensor
    for suffix in INSERTED:
        tensor = tensor.removesuffix(suffix)
    for suffix in INSERTED:
        tensor = tensor.removesuffix(suffix)
    if tensor in known:
        return tensor
    if tensor.endswith(PADDED):
        return _padded(tensor.removesuffix(PADDED), graph)
    source, _, reader = tensor.partition(MOVED)
    while reader:
        if reader in known:
            return _moved(source, reader, graph)
        more, _, reader = reader.partition(MOVED)
        source = f"{source}{MOVED}{more}"
    return None


def _padded(source: str, graph: IntegerGraph) -> str | None:
    """The pad of an operand."""
    for node in graph.nodes:
        if node.op == "pad" and node.inputs[0] in (source, f"{source}.quant"):
            return node.id
    return None


def _moved(source: str, reader: str, graph: IntegerGraph) -> str | None:
    """The rescale of one operand of a concatenation."""
    for name in graph.by_id[reader].inputs:
        node = graph.by_id[name]
        if node.op == "rescale" and node.inputs[0] in (source, f"{source}.quant"):
            return name
    return None

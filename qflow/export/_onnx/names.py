"""names: which ONNX tensor is which address of the model, and what has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qflow.export._onnx import attributes
from qflow.export._onnx.ports import accumulators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qflow.emulation.graph import IntegerGraph, Node
    from qflow.export._onnx.builder import Value
    from qflow.export._onnx.emitted import Emitted

FORMAT_VERSION = "1.0"
PARAMETERS = ("weight", "bias")
_RESCALES = ("multiplier", "shift")


def name_map(graph: IntegerGraph, emitted: Emitted, whole: bool = False) -> dict[str, Any]:
    """JSON data: `tensors` by address (`address#1` for its second call), and `not_exported`.

    `whole`: the file computes what the integer graph does, and so nothing is missing.
    """
    builder = emitted.builder
    wanted = {
        **{n.id: builder.same.get(n.id, n.id) for n in graph.nodes},
        **{f"{n.id}.{r}": f"{n.id}.{r}" for n in graph.nodes for r in PARAMETERS},
    }
    tensors = {
        address: _record(builder.values[id_])
        for address, id_ in wanted.items()
        if id_ in builder.values
    }
    # an integer product holds its parameters as plain integers
    for node in graph.nodes:
        for role in PARAMETERS:
            found = _plain(graph, emitted, node, role)
            if found is not None:
                tensors.setdefault(f"{node.id}.{role}", found)
    return {
        "format_version": FORMAT_VERSION,
        "tensors": dict(sorted(tensors.items())),
        "not_exported": [] if whole else list(_missing(graph, emitted)),
    }


def _record(value: Value) -> dict[str, Any]:
    type_ = value.type
    scale = None if type_.scale is None else [float(s) for s in type_.scale.ravel()]
    return {
        "tensor": value.integer,
        "real": value.real,
        "dtype": type_.dtype,
        "scale": scale,
        "axis": type_.axis,
    }


def _plain(graph: IntegerGraph, emitted: Emitted, node: Node, role: str) -> dict[str, Any] | None:
    array = attributes.constant(graph, node, role)
    if array is None or node.id not in accumulators(graph, emitted.outputs):
        return None
    columns = f"{node.id}.{role}/columns"
    name = columns if columns in emitted.builder.constants else f"{node.id}.{role}"
    if name not in emitted.builder.constants:
        return None
    return {"tensor": name, "real": None, "dtype": array.dtype.name, "scale": None, "axis": None}


def _missing(graph: IntegerGraph, emitted: Emitted) -> Iterator[dict[str, str]]:
    for node in graph.nodes:
        value = emitted.builder.values.get(emitted.builder.same.get(node.id, node.id))
        if attributes.keeps_accumulator(node) and value is not None and value.integer is None:
            yield {
                "address": node.id,
                "what": "accumulator",
                "why": "the export has it in real values, as accumulator times scale",
            }
        kept = {r for r in _RESCALES if attributes.constant(graph, node, r) is not None}
        if kept:
            yield {
                "address": node.id,
                "what": ", ".join(sorted(kept)),
                "why": f"ONNX rounds to the output's grid itself, not by `{graph.profile}`",
            }

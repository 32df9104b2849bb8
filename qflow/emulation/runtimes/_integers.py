"""Integers in and out: a QTensor for an input, and for an output what its dequantize reads."""

from __future__ import annotations

from typing import Any

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.emulation.graph import IntegerGraph, Node, TensorType
from qflow.emulation.qtensor import QTensor, same_grid


def quantized(graph: IntegerGraph, node: Node, given: QTensor) -> dict[str, Any]:
    """Values of the quantizes that read the input `node`. Raises QflowError QF313."""
    readers = [graph.by_id[u] for u in dict.fromkeys(graph.users[node.id])]
    read_elsewhere = node.id in {source for _, source in graph.outputs}
    if not readers or read_elsewhere or any(r.op != "quantize" for r in readers):
        message = f"input `{node.address}` is read as it is, not quantized: it takes no integers"
        raise fail(Diagnostic("QF313", message, help="hand over what the float model takes"))
    for reader in readers:
        if not same_grid(given, reader.output):
            raise _other_grid(node, given, reader.output)
        low, high = reader.attributes["low"], reader.attributes["high"]
        if 0 not in given.shape and (given.data.min() < low or given.data.max() > high):
            message = f"input `{node.address}` takes integers from {low} to {high}"
            raise fail(Diagnostic("QF313", message))
    return {reader.id: given.data for reader in readers}


def sources_of_outputs(graph: IntegerGraph) -> dict[str, str]:
    """Per output the node that holds its integers: what its dequantize reads."""
    found = {}
    for name, id_ in graph.outputs:
        node = graph.by_id[id_]
        found[name] = node.inputs[0] if node.op == "dequantize" else id_
    return found


def as_qtensor(values: Any, type: TensorType) -> Any:
    """Integers with their grid; floats and whole numbers, which lie on none, as they are."""
    if type.scale is None:
        return values
    return QTensor(values, type.scale, type.zero_point, type.axis)


def _other_grid(node: Node, given: QTensor, wanted: TensorType) -> QflowError:
    return fail(
        Diagnostic(
            "QF313",
            f"input `{node.address}` was given integers of another grid",
            notes=(f"given: {_grid(given)}", f"the model takes: {_grid(wanted)}"),
            help="quantize with `QTensor.quantize(x, like=...)`, the port of the model's input",
        )
    )


def _grid(of: Any) -> str:
    scales = ", ".join(f"{s:.9g}" for s in of.scale[:3].tolist())
    return f"{of.dtype}, scale {scales}, zero point {of.zero_point}"

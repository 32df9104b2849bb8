"""Integer models as files: safetensors with a JSON header; loading needs NumPy and runs nothing.

The header's metadata has one entry, `qflow`: the graph without its constants, as JSON. Constants
are the file's tensors, by their keys. Those of 4 bits lie there two per byte (`packing`), and the
header's `packed` has their shapes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from qflow import atomic
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.emulation.graph import FORMAT_VERSION, IntegerGraph, Node, TensorType
from qflow.emulation.packing import pack, unpack
from qflow.emulation.record import Damaged, Record
from qflow.emulation.validate import validate

ENTRY = "qflow"
LENGTH_BYTES = 8
PACKED_BITS = 4


def save(graph: IntegerGraph, path: Path, more: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write the graph; a reader sees the old file or the whole new one. Raises OSError.

    `more` are further entries of the header, for readers that know them.
    """
    text = json.dumps(_header(graph), sort_keys=True, separators=(",", ":"), allow_nan=False)
    constants = {
        k: pack(v) if k in graph.bits else np.ascontiguousarray(v)
        for k, v in sorted(graph.constants.items())
    }
    data = save_tensors(constants, {**more, ENTRY: text})
    atomic.write(path, _in_order(data))


def load(path: Path) -> IntegerGraph:
    """The graph of a file, checked so that every runtime can run it.

    Raises QflowError: QF302 when there is no such file, QF318 when it is damaged, of another
    version, or not an integer model.
    """
    return read(path)[0]


def read(path: Path) -> tuple[IntegerGraph, Mapping[str, str]]:
    """The same with every entry of the header."""
    try:
        data = path.read_bytes()
    except OSError as why:
        message = f"{path.name} cannot be read: {why.strerror}"
        raise fail(Diagnostic("QF302", message)) from None
    try:
        entries = _metadata(data)
        text = Record(entries, "the header").text(ENTRY)
        graph = _graph(Record.parse(text, "the header"), load_tensors(data))
        validate(graph)
    except (Damaged, SafetensorError) as why:
        raise damaged(path, str(why)) from None
    return graph, entries


def _header(graph: IntegerGraph) -> dict[str, Any]:
    return {
        "version": FORMAT_VERSION,
        "march": graph.march,
        "profile": graph.profile,
        "inputs": list(graph.inputs),
        "outputs": [list(pair) for pair in graph.outputs],
        "notes": list(graph.notes),
        "packed": {k: list(graph.constants[k].shape) for k in graph.bits},
        **({"any_size": True} if graph.any_size else {}),
        "nodes": [
            {
                "id": n.id,
                "address": n.address,
                "op": n.op,
                "inputs": list(n.inputs),
                "output": {
                    "dtype": n.output.dtype,
                    "shape": list(n.output.shape),
                    "scale": None if n.output.scale is None else n.output.scale.tolist(),
                    "zero_point": n.output.zero_point,
                    "axis": n.output.axis,
                    "layout": n.output.layout,
                },
                "attributes": dict(n.attributes),
                "constants": dict(n.constants),
            }
            for n in graph.nodes
        ],
    }


def _in_order(data: bytes) -> bytes:
    """The same file with its entries in order: the library writes them as they fall."""
    end = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "little")
    header = json.loads(data[LENGTH_BYTES:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    # spaces, so that the tensors are aligned
    text += b" " * (-len(text) % LENGTH_BYTES)
    return len(text).to_bytes(LENGTH_BYTES, "little") + text + data[end:]


def _metadata(data: bytes) -> dict[str, str]:
    """Every entry of the metadata. Raises Damaged."""
    size = int.from_bytes(data[:LENGTH_BYTES], "little")
    if len(data) < LENGTH_BYTES or size > len(data) - LENGTH_BYTES:
        raise Damaged("it ends before its header does")
    header = Record.parse(data[LENGTH_BYTES : LENGTH_BYTES + size], "the file's header")
    if "__metadata__" not in header:
        raise Damaged("it is a safetensors file without an integer model")
    return header.record("__metadata__").words()


def _graph(header: Record, constants: dict[str, np.ndarray]) -> IntegerGraph:
    version = header.text("version")
    if version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise Damaged(f"it has version {version}, this qflow reads {FORMAT_VERSION}")
    known = ("version", "march", "profile", "inputs", "outputs", "notes", "packed", "nodes")
    # a graph for one size says nothing of others
    any_size = header.data.get("any_size", False)
    if any_size not in (True, False):
        raise Damaged("`any_size` is no truth value")
    header.exactly(*known, *(("any_size",) if "any_size" in header else ()))
    packed = header.record("packed")
    shapes = {key: packed.integers(key) for key in packed.data}
    if missing := sorted(set(shapes) - set(constants)):
        raise Damaged(f"packed constant {missing[0]} is missing")
    constants = constants | {k: unpack(constants[k], shape) for k, shape in shapes.items()}
    return IntegerGraph(
        march=header.text("march"),
        profile=header.text("profile"),
        nodes=tuple(_node(r) for r in header.records("nodes")),
        inputs=header.texts("inputs"),
        outputs=header.pairs("outputs"),
        constants=constants,
        notes=header.texts("notes"),
        bits=dict.fromkeys(shapes, PACKED_BITS),
        any_size=any_size,
    )


def _node(record: Record) -> Node:
    record.exactly("id", "address", "op", "inputs", "output", "attributes", "constants")
    return Node(
        id=record.text("id"),
        address=record.text("address"),
        op=record.text("op"),
        inputs=record.texts("inputs"),
        output=_type(record.record("output")),
        attributes=record.record("attributes").plain(),
        constants=record.record("constants").words(),
    )


def _type(record: Record) -> TensorType:
    record.exactly("dtype", "shape", "scale", "zero_point", "axis", "layout")
    return TensorType(
        dtype=record.text("dtype"),
        shape=record.integers("shape"),
        scale=record.floats("scale"),
        zero_point=record.integer("zero_point"),
        axis=None if record.data["axis"] is None else record.integer("axis"),
        layout=record.text("layout"),
    )


def damaged(path: Path, why: str) -> QflowError:
    """The QF318 for a file that holds no integer model that can be used."""
    return fail(
        Diagnostic(
            "QF318",
            f"{path.name} is no integer model that can be used: {why}",
            help="make it again with `qflow run`",
        )
    )

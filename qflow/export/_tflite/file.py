"""file: the TFLite model and its name map as files, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qflow
from qflow.diagnostics import Diagnostic, QflowError
from qflow.emulation.profile import profile
from qflow.export._onnx.file import replace
from qflow.export._sealed import BLANK, seal
from qflow.export._tflite.emit import Emitted, emit
from qflow.export._tflite.model import Model, Tensor, serialized

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph
    from qflow.export._tflite.settings import Settings

FACTS = "qflow"
"""Metadata: version, march, profile, ports and names, as JSON."""
SEAL = "qflow.sha256"
NAMES_VERSION = "1.0"


def write(graph: IntegerGraph, settings: Settings, path: Path) -> None:
    """Write `path` and `<stem>.names.json`; see `Tflite.write` for the errors."""
    emitted = emit(graph, settings)
    if emitted.floats and not settings.floats:
        raise QflowError(tuple(_refused(a) for a in dict.fromkeys(emitted.floats)))
    names = _names(graph, emitted)
    facts = {
        "version": qflow.__version__,
        "march": graph.march,
        "profile": settings.profile(profile(graph.profile).name),
        "batch": settings.batch,
        "ports": {
            "inputs": [p.record() for p in emitted.inputs],
            "outputs": [p.record() for p in emitted.outputs],
        },
    }
    metadata = {FACTS: json.dumps(facts, sort_keys=True).encode(), SEAL: BLANK}
    model = Model(emitted.operations, emitted.given, emitted.made, metadata)
    text = json.dumps({"model": path.name, **names}, indent=2, sort_keys=True)
    content = seal(serialized(model))
    replace({path.with_suffix(".names.json"): f"{text}\n".encode(), path: content})


def _names(graph: IntegerGraph, emitted: Emitted) -> dict[str, Any]:
    """JSON data: `tensors` by address, and what runs in floats."""
    stands = {t.name for o in emitted.operations for t in (*o.inputs, o.output)}
    tensors = {n.id: emitted.tensors.get(n.id) for n in graph.nodes}
    return {
        "format_version": NAMES_VERSION,
        "tensors": {k: _record(t) for k, t in sorted(tensors.items()) if t and t.name in stands},
        "floats": sorted(emitted.floats),
        "not_exported": [
            {"address": k, "what": "tensor", "why": "it is part of another operator"}
            for k, t in sorted(tensors.items())
            if t is None or t.name not in stands
        ],
    }


def _record(tensor: Tensor) -> dict[str, Any]:
    scale = None if tensor.scale is None else [float(s) for s in tensor.scale.ravel()]
    return {
        "tensor": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "scale": scale,
        "zero_point": tensor.zero_point,
    }


def _refused(address: str) -> Diagnostic:
    return Diagnostic(
        "QF502",
        f"TFLite has no integer kernel for `{address}`, which would run in floats",
        notes=("the integers behind it may differ from qflow's by a step, next to ties",),
        help="write `floats = true` in the export, or leave the export out",
    )

"""file: the ONNX model and its name map as files, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import qflow
from qflow import atomic
from qflow.diagnostics import EXIT, Diagnostic, fail
from qflow.emulation.profile import profile
from qflow.export._onnx.builder import BATCH
from qflow.export._onnx.emit import emit
from qflow.export._onnx.emitted import Emitted
from qflow.export._onnx.names import name_map
from qflow.export._onnx.packages import need
from qflow.export._sealed import BLANK, seal

if TYPE_CHECKING:
    from onnx import ModelProto

    from qflow.emulation.graph import IntegerGraph
    from qflow.export._onnx.ports import Port
    from qflow.export._onnx.settings import Settings

PORTS = "qflow.ports"
"""Metadata: inputs and outputs against the model's own, as JSON."""
NAMES = "qflow.names"
"""Metadata: the name map, as JSON."""


SEAL = "qflow.sha256"
"""Metadata: the digest of the file."""
PROFILE = "qflow.profile"
"""Metadata: the profile whose integers the file computes, where it does."""
Emit = Callable[["IntegerGraph", "Settings"], Emitted]


def write(graph: IntegerGraph, settings: Settings, path: Path, exact: Emit | None = None) -> None:
    """Write `path` and `<stem>.names.json`; see `Onnx.write` for the errors.

    `exact` emits nodes that compute the integers of the graph's own profile.
    """
    model, names = build(graph, settings, exact)
    need("onnx").checker.check_model(model, full_check=True)
    text = json.dumps({"model": path.name, **names}, indent=2, sort_keys=True)
    replace({path.with_suffix(".names.json"): f"{text}\n".encode(), path: _bytes(model)})


def build(
    graph: IntegerGraph, settings: Settings, exact: Emit | None = None
) -> tuple[ModelProto, dict[str, Any]]:
    """The model, not yet checked, and its name map."""
    helper, numpy_helper = need("onnx.helper"), need("onnx.numpy_helper")
    emitted = (exact or emit)(graph, settings)
    names = name_map(graph, emitted, whole=exact is not None)
    builder = emitted.builder
    nodes = [
        helper.make_node(
            s.op,
            s.inputs,
            [*s.unused, s.output],
            name=s.output,
            **_attributes(s.attributes, helper),
        )
        for s in builder.steps
    ]
    used = {name for s in builder.steps for name in s.inputs}
    constants = [
        numpy_helper.from_array(array, name)
        for name, array in builder.constants.items()
        if name in used
    ]
    made = helper.make_graph(
        nodes,
        "qflow",
        [_port(p, helper) for p in emitted.inputs],
        [_port(p, helper) for p in emitted.outputs],
        constants,
    )
    opset = helper.make_opsetid("", settings.opset)
    model: ModelProto = helper.make_model(
        made,
        opset_imports=[opset],
        ir_version=helper.find_min_ir_version_for([opset]),
        producer_name="qflow",
        producer_version=qflow.__version__,
    )
    facts = _metadata(graph, emitted, names)
    helper.set_model_props(model, facts | ({PROFILE: profile(graph.profile).name} if exact else {}))
    return model, names


def _metadata(graph: IntegerGraph, emitted: Emitted, names: dict[str, Any]) -> dict[str, str]:
    ports = {
        "inputs": [p.record() for p in emitted.inputs],
        "outputs": [p.record() for p in emitted.outputs],
    }
    return {
        "qflow.version": qflow.__version__,
        "qflow.march": graph.march,
        PORTS: json.dumps(ports, sort_keys=True),
        NAMES: json.dumps(names, sort_keys=True),
        SEAL: BLANK.decode(),
    }


def _attributes(attributes: dict[str, Any], helper: Any) -> dict[str, Any]:
    return {
        k: helper.np_dtype_to_tensor_dtype(v) if isinstance(v, np.dtype) else v
        for k, v in attributes.items()
    }


def _port(port: Port, helper: Any) -> Any:
    dtype = helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))
    return helper.make_tensor_value_info(port.name, dtype, [BATCH, *port.shape[1:]])


def _bytes(model: ModelProto) -> bytes:
    # the order of metadata and fields must not change from run to run
    return seal(model.SerializeToString(deterministic=True))


def replace(files: dict[Path, bytes]) -> None:
    """Each file at once; a reader sees the old one or the new one.

    Raises QflowError QF316.
    """
    try:
        for path, data in files.items():
            atomic.write(path, data)
    except OSError as error:
        raise fail(
            Diagnostic(
                "QF316",
                f"`{next(iter(files)).parent}` cannot be written: {error.strerror or error}",
                help="name another folder with `--out DIR`",
            ),
            EXIT.failed,
        ) from error

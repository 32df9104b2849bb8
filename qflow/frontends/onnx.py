"""onnx: a float model in an ONNX file, of the operators of the standard domain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from qflow.frontends import onnx_file
from qflow.frontends.leafing import finished
from qflow.frontends.onnx_graph import Dims, Reader
from qflow.frontends.refusing import damaged
from qflow.frontends.source import FilePort, Run, Source

_DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
}


def read(path: Path, shown: str) -> Source:
    """Raises QflowError: QF302, QF362 to QF365, QF405 without the package onnx."""
    model = onnx_file.read_model(path, shown)
    constants = onnx_file.constants(model, shown)
    graph = model.graph
    # before opset 9's time, tensors of the file were inputs as well
    inputs = tuple(_port(v) for v in graph.input if v.name not in constants)
    outputs = tuple(_port(v) for v in graph.output)
    opset = max(e.version for e in model.opset_import if e.domain in ("", "ai.onnx"))
    names = [p.name for p in inputs]
    if len(set(names)) != len(names):
        raise damaged(shown, "two of its inputs have one name")
    reader = Reader(onnx_file.nodes(model, shown), constants, _shapes(model), names, shown, opset)
    recipe = reader.read([p.name for p in outputs])
    return Source(finished(recipe), inputs, outputs, _runtime(model, outputs), "onnxruntime")


def _port(value: Any) -> FilePort:
    kind = value.type.tensor_type
    dims = _dims(kind) if kind.HasField("shape") else None
    return FilePort(value.name, _DTYPES.get(kind.elem_type, ""), dims)


def _dims(kind: Any) -> Dims:
    return tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim)


def _shapes(model: Any) -> dict[str, Dims]:
    """Shapes of everything, as far as onnx infers them."""
    import onnx

    try:
        inferred = onnx.shape_inference.infer_shapes(model)
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError):
        # whoever needs a shape then says so
        inferred = model
    graph = inferred.graph
    values = (*graph.value_info, *graph.input, *graph.output)
    return {
        v.name: _dims(v.type.tensor_type)
        for v in values
        if v.type.HasField("tensor_type") and v.type.tensor_type.HasField("shape")
    }


def _runtime(model: Any, outputs: tuple[FilePort, ...]) -> Run | None:
    try:
        import onnxruntime
    except ImportError:
        return None

    def run(values: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        import torch

        options = onnxruntime.SessionOptions()
        # as the file is written: fused kernels round otherwise
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        fed = {name: value.numpy() for name, value in values.items()}
        try:
            session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            found = session.run([p.name for p in outputs], fed)
        except _failures() as error:
            raise RuntimeError(str(error)) from error
        return tuple(torch.from_numpy(np.asarray(a)) for a in found)

    return run


def _failures() -> tuple[type[Exception], ...]:
    """What onnxruntime raises, each of a class of its own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        *("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented"),
        *("RuntimeException", "EPFail", "EngineError", "NoModel", "ModelLoaded"),
    )
    return tuple(getattr(state, name) for name in names)

"""Writes TFLite models of one operator, with the schema that comes with the runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SCHEMA_VERSION = 3
IDENTIFIER = b"TFL3"
TYPES = {
    "float32": "FLOAT32",
    "int8": "INT8",
    "uint8": "UINT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "bool": "BOOL",
}


@dataclass(frozen=True)
class Value:
    """A tensor of the model; one with `data` is a constant."""

    dtype: str
    shape: tuple[int, ...]
    scale: Any = None
    """A number, or one per channel along `axis`; None: not quantized."""
    zero_point: Any = 0
    axis: int = 0
    data: np.ndarray | None = None


def constant(data: np.ndarray, scale: Any = None, zero_point: Any = 0, axis: int = 0) -> Value:
    return Value(str(data.dtype), data.shape, scale, zero_point, axis, data)


def model(
    operator: str,
    inputs: Sequence[Value | None],
    outputs: Sequence[Value],
    options: str = "",
    version: int = 1,
    **settings: Any,
) -> bytes:
    """A model of one operator; inputs without data are those of the model.

    `options` is the table of the operator's options without `Options`: `Conv2D`; `settings` are its
    fields. An input that is None is left out. `version` is that of the operator.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    graph = schema.SubGraphT()
    built = schema.ModelT()
    built.version = SCHEMA_VERSION
    empty = schema.BufferT()
    empty.data = []
    built.buffers = [empty]
    graph.tensors = []

    def index(value: Value, name: str) -> int:
        graph.tensors.append(_tensor(schema, value, name, built.buffers))
        return len(graph.tensors) - 1

    sources = [-1 if v is None else index(v, f"x{i}") for i, v in enumerate(inputs)]
    targets = [index(v, f"y{i}") for i, v in enumerate(outputs)]
    graph.inputs = [
        s for s, v in zip(sources, inputs, strict=True) if v is not None and v.data is None
    ]
    graph.outputs = targets
    node = schema.OperatorT()
    node.inputs, node.outputs = sources, targets
    if options:
        node.builtinOptionsType = getattr(schema.BuiltinOptions, f"{options}Options")
        node.builtinOptions = _options(schema, options, settings)
    graph.operators = [node]
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, operator)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = version
    built.operatorCodes = [code]
    built.subgraphs = [graph]
    builder = flatbuffers.Builder(1 << 12)
    builder.Finish(built.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _tensor(schema: Any, value: Value, name: str, buffers: list[Any]) -> Any:
    tensor = schema.TensorT()
    tensor.name = name
    tensor.shape = [int(n) for n in value.shape]
    tensor.type = getattr(schema.TensorType, TYPES[value.dtype])
    tensor.buffer = 0
    if value.data is not None:
        held = schema.BufferT()
        held.data = np.frombuffer(np.ascontiguousarray(value.data).tobytes(), np.uint8)
        buffers.append(held)
        tensor.buffer = len(buffers) - 1
    if value.scale is not None:
        grid = schema.QuantizationParametersT()
        grid.scale = np.atleast_1d(np.asarray(value.scale, np.float32))
        grid.zeroPoint = np.broadcast_to(np.int64(value.zero_point), grid.scale.shape).copy()
        grid.quantizedDimension = value.axis
        tensor.quantization = grid
    return tensor


def _options(schema: Any, name: str, settings: Mapping[str, Any]) -> Any:
    table = getattr(schema, f"{name}OptionsT")()
    for field, value in settings.items():
        assert hasattr(table, field), f"{name} has no field {field}"
        setattr(table, field, value)
    return table

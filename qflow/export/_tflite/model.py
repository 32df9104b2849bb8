"""model: a TFLite model as operators and tensors, and its bytes, by the schema of LiteRT."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qflow.export._tflite.packages import need

VERSION = 3
IDENTIFIER = b"TFL3"
FIRST_LONG_CODE = 127
"""Operators from here on do not fit into the old field of their number: it holds this."""
TYPES = {
    "float32": "FLOAT32",
    "int8": "INT8",
    "uint8": "UINT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "bool": "BOOL",
}


@dataclass(frozen=True, eq=False)
class Tensor:
    """One with `data` is a constant."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: np.ndarray | None = None
    """float32: one, or one per channel along `axis`; None: it lies on no grid."""
    zero_point: int = 0
    axis: int = 0
    data: np.ndarray | None = None


@dataclass(frozen=True)
class Operation:
    operator: str
    """As the schema has it: `CONV_2D`."""
    inputs: tuple[Tensor, ...]
    output: Tensor
    options: str = ""
    """The table of its options, without `Options`: `Conv2D`."""
    version: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    operations: tuple[Operation, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: Mapping[str, bytes]


def serialized(model: Model) -> bytes:
    """Raises QflowError QF405 without flatbuffers and ai-edge-litert."""
    schema, flatbuffers = need("ai_edge_litert.schema_py_generated"), need("flatbuffers")
    empty = schema.BufferT()
    empty.data = []
    built = schema.ModelT()
    built.version, built.description = VERSION, "written by qflow"
    built.buffers, built.operatorCodes = [empty], []
    graph = schema.SubGraphT()
    graph.name = "main"
    graph.tensors, graph.operators = [], []
    places: dict[int, int] = {}
    codes: dict[tuple[str, int], int] = {}

    def place(tensor: Tensor) -> int:
        if id(tensor) not in places:
            places[id(tensor)] = len(graph.tensors)
            graph.tensors.append(_tensor(schema, tensor, built.buffers))
        return places[id(tensor)]

    graph.inputs = [place(t) for t in model.inputs]
    for operation in model.operations:
        key = operation.operator, operation.version
        if key not in codes:
            codes[key] = len(codes)
            built.operatorCodes.append(_code(schema, *key))
        node = schema.OperatorT()
        node.opcodeIndex = codes[key]
        node.inputs = [place(t) for t in operation.inputs]
        node.outputs = [place(operation.output)]
        if operation.options:
            node.builtinOptionsType = getattr(schema.BuiltinOptions, f"{operation.options}Options")
            node.builtinOptions = _options(schema, operation)
        graph.operators.append(node)
    graph.outputs = [place(t) for t in model.outputs]
    built.subgraphs = [graph]
    built.metadata = [_metadata(schema, k, v, built.buffers) for k, v in model.metadata.items()]
    builder = flatbuffers.Builder(1 << 12)
    builder.Finish(built.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _tensor(schema: Any, made: Tensor, buffers: list[Any]) -> Any:
    tensor = schema.TensorT()
    tensor.name = made.name
    tensor.shape = [int(n) for n in made.shape]
    tensor.type = getattr(schema.TensorType, TYPES[made.dtype])
    tensor.hasRank = True
    tensor.buffer = 0
    if made.data is not None:
        tensor.buffer = _buffer(schema, np.ascontiguousarray(made.data).tobytes(), buffers)
    if made.scale is not None:
        grid = schema.QuantizationParametersT()
        grid.scale = np.atleast_1d(made.scale).astype(np.float32)
        grid.zeroPoint = np.full(grid.scale.shape, made.zero_point, np.int64)
        grid.quantizedDimension = made.axis
        tensor.quantization = grid
    return tensor


def _buffer(schema: Any, content: bytes, buffers: list[Any]) -> int:
    held = schema.BufferT()
    held.data = np.frombuffer(content, np.uint8)
    buffers.append(held)
    return len(buffers) - 1


def _metadata(schema: Any, name: str, content: bytes, buffers: list[Any]) -> Any:
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, _buffer(schema, content, buffers)
    return entry


def _code(schema: Any, operator: str, version: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, operator)
    code.deprecatedBuiltinCode = min(code.builtinCode, FIRST_LONG_CODE)
    code.version = version
    return code


def _options(schema: Any, operation: Operation) -> Any:
    table = getattr(schema, f"{operation.options}OptionsT")()
    for option, value in operation.settings.items():
        assert hasattr(table, option), f"{operation.options} has no field {option}"
        setattr(table, option, value)
    return table

"""Writes TFLite models of one operator or a few, with the schema that comes with the runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the model; one with `data` is a constant. Each is a tensor of its own."""

    dtype: str
    shape: tuple[int, ...]
    scale: Any = None
    """A number, or one per channel along `axis`; None: not quantized."""
    zero_point: Any = 0
    axis: int = 0
    data: np.ndarray | None = None


@dataclass(frozen=True)
class Operation:
    """An operator of the model.

    `options` is the table of its options without `Options`: `Conv2D`; `settings` are its fields. An
    input that is None is left out. `version` is that of the operator.
    """

    operator: str
    inputs: Sequence[Value | None]
    outputs: Sequence[Value]
    options: str = ""
    version: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)


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
    """A model of one operator; inputs without data are those of the model, in order."""
    return network([Operation(operator, inputs, outputs, options, version, settings)])


def network(operations: Sequence[Operation], inputs: Sequence[Value] = ()) -> bytes:
    """A model of operators in order, whose outputs are those of the last.

    What has no data and is not made by an operator is an input of the model, `inputs` first.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    empty = schema.BufferT()
    empty.data = []
    buffers = [empty]
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.operators = [], [], []
    places: dict[int, int] = {}
    codes = []

    def place(value: Value, is_source: bool) -> int:
        if id(value) not in places:
            places[id(value)] = len(graph.tensors)
            graph.tensors.append(_tensor(schema, value, f"t{len(graph.tensors)}", buffers))
            if is_source and value.data is None:
                graph.inputs.append(places[id(value)])
        return places[id(value)]

    for source in inputs:
        place(source, True)
    for number, made in enumerate(operations):
        node = schema.OperatorT()
        node.opcodeIndex = number
        node.inputs = [-1 if v is None else place(v, True) for v in made.inputs]
        node.outputs = graph.outputs = [place(v, False) for v in made.outputs]
        if made.options:
            node.builtinOptionsType = getattr(schema.BuiltinOptions, f"{made.options}Options")
            node.builtinOptions = _options(schema, made.options, made.settings)
        graph.operators.append(node)
        codes.append(_code(schema, made))
    built = schema.ModelT()
    built.version, built.buffers = SCHEMA_VERSION, buffers
    built.operatorCodes, built.subgraphs = codes, [graph]
    builder = flatbuffers.Builder(1 << 12)
    builder.Finish(built.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _code(schema: Any, made: Operation) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, made.operator)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = made.version
    return code


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
    for option, value in settings.items():
        assert hasattr(table, option), f"{name} has no field {option}"
        setattr(table, option, value)
    return table

"""emit: an integer graph, node by node, as a TFLite model with the ports asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.layout import lay_out
from qflow.export._onnx.ports import Port
from qflow.export._shapes import shapes_of
from qflow.export._tflite import borders, functions, gemms, images, moves, numbers, ports
from qflow.export._tflite.context import Context, refused
from qflow.export._tflite.model import Operation, Tensor

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph, Node
    from qflow.export._tflite.settings import Settings

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
RULES: Mapping[str, Callable[[Node, Context], None]] = {
    "quantize": borders.quantize,
    "dequantize": borders.dequantize,
    "identity": borders.identity,
    "island": borders.island,
    "constant": moves.constant,
    "conv1d": gemms.conv1d,
    "conv2d": gemms.conv2d,
    "conv_transpose2d": gemms.conv_transpose2d,
    "linear": gemms.linear,
    "matmul": gemms.matmul,
    "add": numbers.binary,
    "sub": numbers.binary,
    "mul": numbers.binary,
    "maximum": numbers.larger,
    "minimum": numbers.larger,
    "relu": numbers.rectified,
    "relu6": numbers.rectified,
    "rescale": numbers.rectified,
    "abs": numbers.magnitude,
    "neg": numbers.negated,
    "leaky_relu": numbers.leaky,
    "mean": numbers.reduced,
    "sum": numbers.reduced,
    "amax": numbers.reduced,
    "amin": numbers.reduced,
    "adaptive_avg_pool2d": numbers.image_mean,
    "argmax": numbers.largest_place,
    "max_pool2d": images.pool,
    "avg_pool2d": images.pool,
    "upsample": images.upsample,
    "exp": functions.own,
    "log": functions.own,
    "sqrt": functions.own,
    "rsqrt": functions.own,
    "sigmoid": functions.own,
    "tanh": functions.own,
    "hard_swish": functions.own,
    "gelu": functions.gelu,
    "elu": functions.looked_up,
    "softmax": functions.softmax,
    "reshape": moves.reshaped,
    "flatten": moves.reshaped,
    "squeeze": moves.reshaped,
    "unsqueeze": moves.reshaped,
    "permute": moves.permuted,
    "slice": moves.sliced,
    "cat": moves.joined,
    "stack": moves.joined,
    "pad": moves.padded,
    "expand": moves.expanded,
    "repeat": moves.repeated,
    "roll": moves.rolled,
    "channel_shuffle": moves.channel_shuffled,
    "embedding": moves.embedded,
}


BETWEEN = ("quantize", "dequantize", "rescale", "identity", "island", "argmax", "embedding")
"""What goes from one dtype to another."""


@dataclass(frozen=True)
class Emitted:
    operations: tuple[Operation, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    given: tuple[Tensor, ...]
    made: tuple[Tensor, ...]
    tensors: Mapping[str, Tensor]
    """By id of the node whose values they hold."""
    floats: tuple[str, ...]
    """Addresses of what runs in floats."""


def emit(graph: IntegerGraph, settings: Settings) -> Emitted:
    """The whole graph. Raises QflowError QF501, QF502."""
    inputs = tuple(ports.input_port(graph, i, settings) for i in graph.inputs)
    graph = lay_out(graph, "nhwc")
    outputs = tuple(ports.output_port(graph, n, i, settings) for n, i in graph.outputs)
    context = Context(graph, shapes_of(graph, settings.batch))
    context.taken |= {p.name for p in (*inputs, *outputs)}
    given = tuple(_given(p, context) for p in inputs)
    for node in graph.nodes:
        if node.op == "input":
            continue
        if node.op not in RULES:
            raise refused(node, f"of the integer graph it writes {', '.join(RULES)}")
        if node.op not in BETWEEN:
            _require_one_dtype(node, context)
        RULES[node.op](node, context)
    made = tuple(_left(p, context) for p in outputs)
    return Emitted(
        _needed(context.operations, made),
        inputs,
        outputs,
        given,
        made,
        context.tensors,
        tuple(context.floats),
    )


def _require_one_dtype(node: Node, context: Context) -> None:
    found = {context.type_of(i).dtype for i in node.inputs} - {"int32"}
    if found - {node.output.dtype}:
        words = ", ".join(sorted(found))
        why = f"it makes {node.output.dtype} of {words}, and TFLite has one dtype in and out"
        raise refused(node, why)


def _given(port: Port, context: Context) -> Tensor:
    shape = context.shapes[port.node]
    scale = np.array(port.scale, np.float32) if port.scale else None
    if port.is_nhwc:
        shape = tuple(shape[d] for d in TO_NHWC)
    tensor = Tensor(port.name, port.dtype, shape, scale, port.zero_point)
    (context.last if port.is_nhwc else context.tensors)[port.node] = tensor
    return tensor


def _left(port: Port, context: Context) -> Tensor:
    """The tensor under the port's name; in its layout."""
    id_ = port.source if port.scale or port.dtype != "float32" else port.node
    node = context.node(id_)
    if port.is_nhwc and node.op == "dequantize" and _turns(context.node(node.inputs[0])):
        before = context.values(context.node(node.inputs[0]).inputs[0])
        return context.put(
            "DEQUANTIZE", [before], Tensor(port.name, "float32", before.shape), "Dequantize", 2
        )
    found = context.values(id_)
    grid = {"dtype": found.dtype, "scale": found.scale, "zero_point": found.zero_point}
    if not port.is_nhwc:
        shape = context.ints(node, f"{port.name}/shape", found.shape)
        made = Tensor(port.name, found.dtype, found.shape, found.scale, found.zero_point)
        return context.put("RESHAPE", [found, shape], made, "Reshape")
    shape_last = tuple(found.shape[d] for d in TO_NHWC)
    made = Tensor(port.name, shape=shape_last, **grid)
    if _turns(node):
        before = context.values(node.inputs[0])
        same = context.ints(node, f"{port.name}/shape", before.shape)
        return context.put("RESHAPE", [before, same], made, "Reshape")
    dims = context.ints(node, f"{port.name}/dims", TO_NHWC)
    return context.put("TRANSPOSE", [found, dims], made, "Transpose", 2)


def _turns(node: Node) -> bool:
    """Whether it only brings the channels to the front."""
    return node.op == "permute" and tuple(node.attributes["dims"]) == TO_NCHW


def _needed(operations: list[Operation], outputs: tuple[Tensor, ...]) -> tuple[Operation, ...]:
    """Without what no output needs."""
    wanted = {id(t) for t in outputs}
    kept = []
    for operation in reversed(operations):
        if id(operation.output) in wanted:
            wanted |= {id(t) for t in operation.inputs}
            kept.append(operation)
    return tuple(reversed(kept))

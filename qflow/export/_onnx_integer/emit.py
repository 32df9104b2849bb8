"""emit: an integer graph as standard ONNX operators that compute the same integers.

Every node's oracle runs on traced values; nothing here knows a single operator's arithmetic.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.emulation.op import Call
from qflow.emulation.runtimes._calls import calls
from qflow.export._onnx.builder import Builder, Step, Value
from qflow.export._onnx.emitted import Emitted
from qflow.export._onnx.ports import TO_NCHW, TO_NHWC, Port, input_port, output_port
from qflow.export._onnx_integer import batch
from qflow.export._onnx_integer.node import traced
from qflow.export._onnx_integer.tape import Tape
from qflow.export._onnx_integer.traced import Traced, Untraceable

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph, TensorType
    from qflow.export._onnx.settings import Settings


def emit(graph: IntegerGraph, settings: Settings) -> Emitted:
    """The whole graph. Raises QflowError: QF501 for a port that cannot be, QF502."""
    inputs = {i: input_port(graph, i, settings) for i in graph.inputs}
    outputs = tuple(output_port(graph, name, id_, settings) for name, id_ in graph.outputs)
    first, second = (_traced(graph, inputs, outputs, n) for n in (batch.FIRST, batch.SECOND))
    try:
        builder = batch.freed(first, second, inputs[graph.inputs[0]].name)
    except Untraceable as why:
        raise fail(
            Diagnostic(
                "QF502",
                f"the integer graph cannot be exported for any batch: {why}",
                help="leave this export out",
            )
        ) from None
    return Emitted(
        replace(builder, steps=_needed(builder, outputs)), tuple(inputs.values()), outputs
    )


def _traced(
    graph: IntegerGraph, inputs: dict[str, Port], outputs: tuple[Port, ...], count: int
) -> Builder:
    """With so many samples."""
    tape = Tape()
    for port in (*inputs.values(), *outputs):
        tape.builder.taken.add(port.name)
    values: dict[str, Traced] = {}
    for call in calls(graph):
        node = call.node
        tape.at = node.id
        try:
            values[node.id] = _value(call, values, inputs, tape, count)
        except Untraceable as why:
            raise refused(call, str(why)) from None
        name = values[node.id].name
        is_real = node.output.dtype == "float32"
        tape.builder.values[node.id] = Value(
            node.output, None if is_real else name, name if is_real else None
        )
    for port in outputs:
        _leave(port, values, tape)
    return tape.builder


def _value(
    call: Call, values: dict[str, Traced], inputs: dict[str, Port], tape: Tape, count: int
) -> Traced:
    node = call.node
    if node.op == "input":
        return _given(inputs[node.id], node.output, tape, count)
    if node.op == "quantize" and (port := inputs.get(node.inputs[0])) and port.scale:
        return values[node.inputs[0]]  # an input that comes in integers already
    return traced(call, [values[i] for i in node.inputs], tape)


def _given(port: Port, type_: TensorType, tape: Tape, count: int) -> Traced:
    shape = (count, *port.shape[1:])
    ends = None
    if not port.is_float:
        info = np.iinfo(port.dtype)
        ends = (int(info.min), int(info.max)) if port.scale else None
    found = Traced(tape, port.name, np.dtype(port.dtype), shape, ends)
    return found.transpose(TO_NCHW) if port.is_nhwc else found


def _leave(port: Port, values: dict[str, Traced], tape: Tape) -> None:
    """Bring a tensor out under its port's name, in its layout and dtype."""
    tape.at = port.name
    found = values[port.source] if not port.is_float else values[port.node]
    if port.is_nhwc:
        found = found.transpose(TO_NHWC)
    tape.builder.steps.append(Step("Identity", (found.name,), port.name, {}))


def _needed(builder: Builder, outputs: tuple[Port, ...]) -> list[Step]:
    """Without nodes whose results nothing reads; what has an address stays."""
    wanted = {p.name for p in outputs}
    wanted |= {n for v in builder.values.values() for n in (v.integer, v.real) if n}
    kept = []
    for step in reversed(builder.steps):
        if step.output in wanted:
            wanted |= set(step.inputs)
            kept.append(step)
    return kept[::-1]


def refused(call: Call, why: str) -> QflowError:
    """The QF502 for an operator whose arithmetic has no form in ONNX operators."""
    name = call.node.attributes.get("op", "") if call.node.op == "island" else ""
    what = f"the float island of `{name}`" if name else f"`{call.node.op}`"
    return fail(
        Diagnostic(
            "QF502",
            f"the exact ONNX export cannot write {what}, at `{call.node.address}`",
            notes=(why,),
            help="leave this export out, or use the target `onnx`",
        )
    )

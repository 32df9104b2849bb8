"""emit: an integer graph, node by node, as an ONNX graph with the ports asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.export._onnx.builder import Builder, Step
from qflow.export._onnx.emitted import Emitted
from qflow.export._onnx.exactly import Whole
from qflow.export._onnx.ports import TO_NHWC, Port, accumulators, input_port, output_port
from qflow.export._onnx_integer import batch
from qflow.export._onnx_integer.traced import Untraceable

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph, Node
    from qflow.export._onnx.settings import Settings

OPS = "export._onnx.ops"
REFUSED = "QF502"
RESHAPES = ("linear", "reshape", "flatten")
"""What is reshaped in floats with a free first axis."""


@dataclass(frozen=True)
class Context:
    """What an operator may look at while it is written."""

    graph: IntegerGraph
    builder: Builder
    ports: dict[str, Port]
    """Per id of an `input` node."""
    integers: frozenset[str]
    """Ids of nodes whose kept accumulator leaves the graph as int32."""


class Emitter(Protocol):
    def emit(self, node: Node, context: Context) -> None:
        """Append what stands for the node and set its value."""


def emit(graph: IntegerGraph, settings: Settings) -> Emitted:
    """The whole graph. Raises QflowError QF501, QF502.

    Operators that have no form in floats here are written in integers, as the exact export has
    them; then it is emitted twice, with batches of two sizes, and what differs is freed.
    """
    first, exact = _once(graph, settings, batch.FIRST)
    if not exact:
        return first
    second, _ = _once(graph, settings, batch.SECOND)
    try:
        builder = batch.freed(first.builder, second.builder, first.inputs[0].name)
    except Untraceable as why:
        raise refused(graph.by_id[exact[0]], str(why)) from None
    return replace(first, builder=builder)


def _once(graph: IntegerGraph, settings: Settings, count: int) -> tuple[Emitted, list[str]]:
    """With so many samples, and the nodes that are written in integers."""
    builder = Builder()
    inputs = {i: input_port(graph, i, settings) for i in graph.inputs}
    outputs = [output_port(graph, name, id_, settings) for name, id_ in graph.outputs]
    for port in (*inputs.values(), *outputs):
        builder.taken.add(port.name)
    integers = accumulators(graph, outputs)
    context = Context(graph, builder, inputs, integers)
    whole = Whole(graph, builder, count, settings.opset)
    for node in graph.nodes:
        _require_signed(node)
        _written(node, context, whole)
    for port in outputs:
        _leave(port, builder)
    return Emitted(builder, tuple(inputs.values()), tuple(outputs)), whole.nodes


def _written(node: Node, context: Context, whole: Whole) -> None:
    known = registry.names(OPS)
    if node.op not in known or (node.op in RESHAPES and whole.moves_the_batch(node)):
        whole.emit(node)
        return
    emitter: Emitter = registry.load(OPS, node.op)()
    try:
        emitter.emit(node, context)
    except QflowError as error:
        # a form of the operator that has none in floats
        if {d.code for d in error.diagnostics} != {REFUSED} or node.op == "quantize":
            raise
        whole.emit(node)


def _require_signed(node: Node) -> None:
    if node.output.dtype == "uint8" or node.output.zero_point != 0:
        raise fail(
            Diagnostic(
                "QF501",
                f"the ONNX export has signed grids with zero point 0, and `{node.address}` is "
                f"{node.output.dtype} with zero point {node.output.zero_point}",
                help="leave this export out",
            )
        )


def refused(node: Node, why: str) -> QflowError:
    """The QF502 for a form of an operator that an emitter does not have."""
    return fail(
        Diagnostic(
            REFUSED,
            f"the ONNX export does not know this form of `{node.op}`, at `{node.address}`",
            notes=(why,),
            help="leave this export out",
        )
    )


def _leave(port: Port, builder: Builder) -> None:
    """Bring a tensor out under its port's name, in its layout and dtype."""
    name = builder.real(port.source) if port.is_float else builder.integer(port.source)
    if port.is_nhwc:
        name = builder.step("Transpose", (name,), f"{name}/nhwc", perm=list(TO_NHWC))
        type_ = builder.values[port.source].type
        if port.is_float and type_.axis is None:
            # on the grid again: onnxruntime would put it there itself, and stumble on opset 21
            builder.quantize(f"{port.name}/nhwc", name, type_)
            name = builder.real(f"{port.name}/nhwc")
    made = {s.output for s in builder.steps}
    if name in made - builder.outputs:
        builder.rename(name, port.name)
    else:
        builder.steps.append(Step("Identity", (name,), port.name, {}))
    builder.outputs.add(port.name)

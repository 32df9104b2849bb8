"""Lowering: the prepared model becomes an integer graph, in the model's own layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qflow.diagnostics import Diagnostic, QflowError, fail, has_errors
from qflow.emulation import islands
from qflow.emulation.builder import (
    Builder,
    FloatLeft,
    NoScale,
    NotFinite,
    holds_whole_numbers,
    image_layout,
)
from qflow.emulation.commute import commute
from qflow.emulation.entering import entered
from qflow.emulation.graph import IntegerGraph, Node, TensorType
from qflow.emulation.op import Op, Unsupported, runnable
from qflow.emulation.profile import profile as profile_of
from qflow.march import March
from qflow.quantization.prepared import PreparedGraph, PreparedNode

WIDEST_ACCUMULATOR = 32


@dataclass(frozen=True)
class Lowered:
    graph: IntegerGraph
    diagnostics: tuple[Diagnostic, ...]
    """Warnings and notes; an error is raised."""


def lower(
    graph: PreparedGraph,
    march: March,
    profile: str,
    unlisted: Literal["error", "float"] = "error",
) -> Lowered:
    """The integer graph of a prepared model.

    `profile` is written with a dot or as its file is (`tosa.single`). With `unlisted = "float"`
    what the march does not list, or has in no integer form, becomes a float island (QF520, a
    warning); what the plan leaves float is one in any case. Raises QflowError: QF120 or QF502 for
    what has no integer form, QF401 for a tensor without a grid, QF506 for a bias that does not fit,
    QF403 for a parameter that is not finite. An accumulator that may overflow is a warning, QF507.
    """
    if march.accumulator_bits > WIDEST_ACCUMULATOR:
        raise fail(
            Diagnostic(
                "QF120",
                f"accumulators of {march.accumulator_bits} bits cannot be emulated",
                help=f"set accumulator_bits of `{march.name}` to {WIDEST_ACCUMULATOR} or less",
            )
        )
    rule = profile_of(profile)
    graph = commute(rule.settle(entered(graph), march))
    build = Builder(march, rule, free={n.id: n.free for n in graph.nodes})
    for node in graph.nodes:
        if all(i in build.types for i in node.inputs):
            _lower_one(node, build, unlisted == "float")
    _check_operands(graph, build)
    _check_outputs(graph, build)
    if has_errors(build.diagnostics):
        raise QflowError(tuple(build.diagnostics))
    nodes = _read(build.nodes, graph)
    used = {key for node in nodes for key in node.constants.values()}
    lowered = IntegerGraph(
        march=march.name,
        profile=build.profile.name,
        nodes=nodes,
        inputs=graph.inputs,
        outputs=graph.outputs,
        constants={k: v for k, v in build.constants.items() if k in used},
        notes=tuple(build.notes),
        bits={k: v for k, v in build.bits.items() if k in used},
    )
    return Lowered(lowered, tuple(build.diagnostics))


def _lower_one(node: PreparedNode, build: Builder, may_float: bool) -> None:
    """Emit the nodes of one prepared node, or the diagnostic that says why there are none."""
    if node.op == "input":
        dtype = "int32" if node.out_dtype == "index" else "float32"
        type_ = TensorType(dtype, node.shape, layout=image_layout(node.shape))
        build.emit(node, "input", (), type_)
        return
    try:
        operator = runnable(node.op, build.profile.own)
    except KeyError:
        build.diagnostics.append(_finding("QF502", node, "no operator of that name is known"))
        return
    try:
        _integers_or_island(node, operator, build, may_float)
    except Unsupported as why:
        build.diagnostics.append(_finding("QF502", node, str(why)))
    except FloatLeft as why:
        build.diagnostics.append(_finding("QF120", node, str(why)))
    except NoScale as why:
        build.diagnostics.append(_finding("QF401", node, str(why)))
    except NotFinite as why:
        build.diagnostics.append(_finding("QF403", node, str(why)))


def _integers_or_island(node: PreparedNode, operator: Op, build: Builder, may_float: bool) -> None:
    """Raises what either of them raises."""
    if islands.is_left_float(node, build):
        islands.leave(node, build)
        return
    shapes = [build.types[i].shape for i in node.inputs]
    why = operator.float_only(node.attributes, shapes)
    if may_float and (why := why or islands.unlisted(node, operator, build.march)):
        islands.lower(node, build, why)
        return
    if why:
        raise Unsupported(why)
    try:
        operator.lower(build.with_operands_on_their_grids(node), build)
    except Unsupported as none:
        if not may_float:
            raise
        islands.lower(node, build, str(none))


def _read(nodes: list[Node], graph: PreparedGraph) -> tuple[Node, ...]:
    """Without what nothing reads: parts of a tensor that the model drops."""
    read = {source for _, source in graph.outputs} | set(graph.inputs)
    kept: list[Node] = []
    for node in reversed(nodes):
        if node.id in read:
            read |= set(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


def _check_operands(graph: PreparedGraph, build: Builder) -> None:
    """Where nothing else is wrong every operand is there: a part no trace can name is not."""
    if has_errors(build.diagnostics):
        return
    missing = [(n, i) for n in graph.nodes for i in n.inputs if i not in build.types]
    for node, operand in missing[:1]:
        why = f"it reads `{operand}`, a part of several results that cannot be told apart"
        build.diagnostics.append(_finding("QF502", node, why))


def _check_outputs(graph: PreparedGraph, build: Builder) -> None:
    ops = {n.id: n for n in build.nodes}
    for name, source in graph.outputs:
        if source not in ops or holds_whole_numbers(ops[source].output):
            continue
        if ops[source].op not in ("dequantize", "island"):
            found = ops[source]
            message = f"output `{name}` is {found.output.dtype} of `{source}`, not dequantized"
            build.diagnostics.append(
                Diagnostic("QF120", message, help="let the model return the dequant stub's result")
            )


def _finding(code: str, node: PreparedNode, why: str) -> Diagnostic:
    helps = {
        "QF120": "put a quant stub before it: only what lies between the stubs runs in integers",
        "QF401": "calibrate the model with data that reaches it, or give the scale",
        "QF403": "look at the checkpoint and at the learning rate of the last stage",
        "QF502": "",
    }
    return Diagnostic(code, f"`{node.address}` ({node.op}): {why}", help=helps[code])

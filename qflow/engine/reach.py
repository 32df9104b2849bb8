"""reach: what the integer graph covers of the model, and the size of a step at its outputs."""

from collections.abc import Mapping
from typing import Any

from qflow.analysis.steps import Step
from qflow.dtype import DTYPES
from qflow.emulation.graph import IntegerGraph, Node
from qflow.march import March
from qflow.plan import op_facts
from qflow.plan.inventory import Inventory
from qflow.plan.plan import Plan

_OUTSIDE = ("input", "output", "quant", "dequant")
"""Operators that are the border itself."""


def steps_of(graph: IntegerGraph, march: March) -> dict[str, Step]:
    """Per output name its step. A kept accumulator's is that of the gemm's activation dtype."""
    return {name: _step(graph, graph.by_id[node], march) for name, node in graph.outputs}


def _step(graph: IntegerGraph, node: Node, march: March) -> Step:
    source = _integer(graph, node)
    if source.output.scale is None:
        return Step(1.0)  # whole numbers, such as the places argmax gives
    if source.output.dtype != "int32":
        return Step(float(source.output.scale.max()))
    gemm = source
    while op_facts.role(gemm.op) != "gemm":
        gemm = graph.by_id[gemm.inputs[0]]
    dtype = DTYPES[graph.by_id[gemm.inputs[0]].output.dtype]
    half_range = (dtype.qmax - dtype.qmin) / 2
    return Step(None, half_range if march.observed_divisor == "half_range" else float(dtype.qmax))


def _integer(graph: IntegerGraph, node: Node) -> Node:
    """The integer tensor an output is made of."""
    while node.output.dtype == "float32" and node.inputs:
        node = graph.by_id[node.inputs[0]]
    return node


def coverage(graph: IntegerGraph, plan: Plan, inventory: Inventory) -> Mapping[str, Any]:
    """How many operators and multiply-accumulates of the model run as integers.

    `{"operators": {"integer", "total", "share"}, "multiply_accumulates": {...}, "float": [...]}` of
    one sample; `float` names each operator that is not, and why where the graph says it.
    """
    lives_at = {m.address: m.absorbed_by or m.address for m in plan.modules}
    islands = {n.address for n in graph.nodes if n.op == "island"}
    inside = {n.address for n in graph.nodes if n.output.dtype != "float32"} - islands
    modules = [m for m in inventory.modules if m.op not in _OUTSIDE]
    integer = [m for m in modules if lives_at.get(m.address, m.address) in inside]
    rest = [m for m in modules if m not in integer]
    return {
        "float": [{"address": m.address, "op": m.op, "why": _why(graph, m.address)} for m in rest],
        "operators": _share(len(integer), len(modules)),
        "multiply_accumulates": _share(sum(m.macs for m in integer), sum(m.macs for m in modules)),
    }


def _why(graph: IntegerGraph, address: str) -> str:
    start = f"{address}: a float island for "
    return next((n.partition("`: ")[2] for n in graph.notes if n.startswith(start)), "")


def _share(part: int, total: int) -> dict[str, float]:
    return {"integer": part, "total": total, "share": part / total if total else 1.0}

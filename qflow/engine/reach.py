"""reach: what the integer graph covers of the model, and the size of a step at its outputs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from qflow.analysis.steps import Step
from qflow.dtype import DTYPES
from qflow.emulation import coverage as counting
from qflow.emulation.graph import IntegerGraph, Node
from qflow.march import March
from qflow.plan import op_facts
from qflow.plan.inventory import Inventory
from qflow.plan.places import Places
from qflow.plan.plan import ModulePlan, Plan


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
    one sample; `float` names each operator that is not, and why.
    """
    absorbed = {m.address: m.absorbed_by for m in plan.modules if m.absorbed_by is not None}
    found = counting.coverage(graph, inventory, absorbed)
    left_by = {m.address: _left_by(m, plan) for m in plan.modules if m.absorbed_by is None}
    return {
        "float": [asdict(left) | _known(left_by.get(left.address, "")) for left in found.floats],
        "operators": _share(found.operators),
        "multiply_accumulates": _share(found.multiply_accumulates),
    }


def _left_by(module: ModulePlan, plan: Plan) -> str:
    """What in the file leaves a module float; empty where nothing does."""
    if module.op == "dequant" or module.out is None or module.output_dtype != "float32":
        return ""
    with_it = f" ({module.out.why})" if module.out.by and module.out.why else ""
    by = module.out.by
    return f"`float` in line {Places(plan).short(by)}{with_it}" if by else module.out.why


def _known(why: str) -> dict[str, str]:
    return {"why": why} if why else {}


def _share(found: counting.Share) -> dict[str, float]:
    return {"integer": found.integer, "total": found.total, "share": found.share}

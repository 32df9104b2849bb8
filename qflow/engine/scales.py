"""scales: claims about scales and dtypes that the plan alone cannot decide."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from qflow.emulation.graph import IntegerGraph
from qflow.engine.verdict import compares
from qflow.plan.plan import ClaimPlan, Observed, Plan
from qflow.quantization.prepared import PreparedGraph

SCALE, DTYPE = "scale", "dtype"
MEASURES = (SCALE, DTYPE)
"""What a claim's `measure` says when no file of `analysis/measures` is meant."""


def judge(
    claim: ClaimPlan, plan: Plan, prepared: PreparedGraph, graph: IntegerGraph
) -> Mapping[str, Any]:
    """`{"value", "holds"}` of a claim on scales or a dtype."""
    if claim.measure == DTYPE:
        found = _dtype(claim.args[0], graph)
        return {"value": found, "holds": found == claim.value}
    scales = list(observed(plan, prepared))
    meeting = [name for name, scale in scales if compares(claim.operator, scale, claim.value).any()]
    failing = [
        name for name, scale in scales if not compares(claim.operator, scale, claim.value).all()
    ]
    wrong = list(dict.fromkeys(meeting if claim.negated else failing))
    value = f"{len(scales) - len(wrong)} of {len(scales)} scales"
    return {"value": ", ".join([value, *(f"not {name}" for name in wrong)]), "holds": not wrong}


def observed(plan: Plan, prepared: PreparedGraph) -> Iterator[tuple[str, np.ndarray]]:
    """Every scale an observer found: `address act` or `address weight`, float32 [1] or [C]."""
    modules = {m.address: m for m in plan.modules}
    for node in prepared.nodes:
        module = modules.get(node.address)
        if module is None:
            continue
        for name, tensor, grid in (
            ("act", module.act, node.grid),
            ("weight", module.weight, node.weight_grid),
        ):
            if tensor is not None and grid is not None and isinstance(tensor.source, Observed):
                yield f"{node.address} {name}", grid.scale


def _dtype(subject: str, graph: IntegerGraph) -> str:
    """dtype of an output before its dequantize, or of an address."""
    outputs = {f"output.{name}": node for name, node in graph.outputs}
    if subject not in outputs:
        found = [n.output.dtype for n in graph.nodes if n.address == subject]
        return found[-1] if found else "float32"
    node = graph.by_id[outputs[subject]]
    while node.inputs and not node.output.dtype.startswith("int"):
        node = graph.by_id[node.inputs[0]]
    return node.output.dtype

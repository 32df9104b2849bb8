"""scales: claims about scales, `no scale == 1.0`, judged on the finished model."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from qflow.engine.verdict import compares
from qflow.plan.plan import ClaimPlan, Observed, Plan
from qflow.quantization.prepared import PreparedGraph

SCALE = "scale"
"""What such a claim's `measure` says; every other is a file of `analysis/measures`."""


def judge(claim: ClaimPlan, plan: Plan, prepared: PreparedGraph) -> Mapping[str, Any]:
    """`{"value", "holds"}` of a claim on scales."""
    scales = list(observed(plan, prepared))
    meeting = [name for name, scale in scales if compares(claim.operator, scale, claim.value).any()]
    failing = [
        name for name, scale in scales if not compares(claim.operator, scale, claim.value).all()
    ]
    wrong = list(dict.fromkeys(meeting if claim.negated else failing))
    value = f"{len(scales) - len(wrong)} of {len(scales)} scales"
    return {"value": ", ".join([value, *(f"not {name}" for name in wrong)]), "holds": not wrong}


def observed(plan: Plan, prepared: PreparedGraph) -> Iterator[tuple[str, np.ndarray]]:
    """Every scale an observer found: `address act`, `weight` or `input0`, float32 [1] or [C]."""
    modules = {m.address: m for m in plan.modules}
    for node in prepared.nodes:
        module = modules.get(node.address)
        if module is None:
            continue
        operands = zip(module.inputs, node.input_grids, strict=False)
        for name, tensor, grid in (
            ("act", module.act, node.grid),
            ("weight", module.weight, node.weight_grid),
            *((f"input{i}", tensor, grid) for i, (tensor, grid) in enumerate(operands)),
        ):
            if tensor is not None and grid is not None and isinstance(tensor.source, Observed):
                yield f"{node.address} {name}", grid.scale

"""prepare: the traced model fused, with fake-quantizers where the plan has them."""

from pathlib import Path

from qflow.engine import prepared
from qflow.engine.work import PREPARE, Stage, Work
from qflow.plan.plan import Plan


def stages(plan: Plan) -> tuple[Stage, ...]:
    return (Stage(PREPARE, make, weights=True),)


def make(work: Work, folder: Path) -> None:
    prepared.save(prepared.make(work), folder)

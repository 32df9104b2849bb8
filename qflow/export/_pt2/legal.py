"""legal: what a program of torch.export would not hold of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic

if TYPE_CHECKING:
    from qflow.plan.plan import ExportPlan, Plan


def check(export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
    """A QF501 per conversion of colours: the program is the trained model, which has none."""
    return tuple(
        Diagnostic(
            "QF501",
            f"`export pt2` has no operator for the colours of `{colour.input}`: it is the model as "
            "it was trained",
            at=export.at,
            help="leave `colour` out of the target, or export the integers",
        )
        for colour in plan.target.colour
    )

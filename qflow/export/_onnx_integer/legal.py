"""legal: what an `export onnx_integer` block asks that the format, or the plan, cannot give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic
from qflow.export._onnx import legal, settings

if TYPE_CHECKING:
    from qflow.plan.plan import ExportPlan, Plan

FIRST_OPSET = 18
"""The first whose reductions take their axes as an input, and the one with bitwise operators."""


def check(export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
    """Every finding, in the order: path, opset, names, layouts, dtypes."""
    asked = settings.read(export)
    found = [*legal.path_of(export)]
    if not FIRST_OPSET <= asked.opset <= settings.LAST_OPSET:
        found.append(
            Diagnostic(
                "QF111",
                f"opset {asked.opset} is none of {FIRST_OPSET} to {settings.LAST_OPSET}",
                at=export.at,
                help=f"write `opset = {settings.OPSET}`",
            )
        )
    return (*found, *legal.ports(asked, export, plan))

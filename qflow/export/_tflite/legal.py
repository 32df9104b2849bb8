"""legal: what an `export tflite` block asks that the format, or the plan, cannot give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._tflite import settings

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.plan.plan import ExportPlan, Plan


def check(export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
    settings.read(export)
    return ()

"""legal: what an `export encodings` block asks that there is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.export._encodings.document import VERSION, VERSIONS
from qflow.export._tables import files, settings

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.plan.plan import ExportPlan, Plan


def check(export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
    """QF111, QF112, QF337."""
    return (
        *settings.words(export, {"version": (VERSION, tuple(VERSIONS))}),
        *settings.opset(export),
        *files.clashes(export, plan, (files.NAMES, files.FLOAT)),
    )

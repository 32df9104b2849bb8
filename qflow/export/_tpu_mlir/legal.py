"""legal: what an `export tpu_mlir` block asks that the compiler would not do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic
from qflow.export._tables import files, settings

if TYPE_CHECKING:
    from qflow.plan.plan import ExportPlan, Plan

FAMILY = "sophgo"
CALIBRATION, QTABLE = "_cali_table", "_qtable"


def check(export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
    """QF111, QF112, QF337; QF501 for the march of another vendor."""
    return (
        *settings.words(export, {}),
        *settings.opset(export),
        *_batch(export),
        *files.clashes(export, plan, (files.NAMES, CALIBRATION, QTABLE)),
        *_march(export, plan),
    )


def _batch(export: ExportPlan) -> Iterator[Diagnostic]:
    given = dict(export.settings).get("batch", 1)
    if isinstance(given, int) and given < 1:
        message = f"a batch of {given} is none"
        yield Diagnostic("QF111", message, at=export.at, help="write `batch = 1`")


def _march(export: ExportPlan, plan: Plan) -> Iterator[Diagnostic]:
    if plan.target.profile.startswith(FAMILY):
        return
    yield Diagnostic(
        "QF501",
        f"TPU-MLIR compiles for the TPUs of Sophgo, and the march is {plan.target.march}",
        at=export.at,
        help='write `march = "bm1684x"` into the target, or leave this export out',
    )

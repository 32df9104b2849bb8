"""legal: what an `export tensorrt_cache` block asks in vain, and what a cache leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic
from qflow.export._tables import dtypes, files, settings
from qflow.export._tensorrt.cache import CALIBRATOR, CALIBRATORS, INT8, VERSION, number

if TYPE_CHECKING:
    from qflow.plan.plan import ExportPlan, Plan


def check(export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
    """QF111, QF113, QF337; a warning QF338 where a cache would hold nothing, or not everything."""
    return (
        *settings.words(export, {"calibrator": (CALIBRATOR, CALIBRATORS)}),
        *settings.opset(export),
        *_version(export),
        *files.clashes(export, plan, (files.NAMES, files.FLOAT)),
        *_left_out(export, plan),
    )


def _version(export: ExportPlan) -> Iterator[Diagnostic]:
    given = dict(export.settings).get("version", VERSION)
    try:
        number(str(given))
    except ValueError:
        yield Diagnostic(
            "QF111",
            f"`{given}` is no version of TensorRT",
            at=export.at,
            help=f'write `version = "{VERSION}"`',
        )


def _left_out(export: ExportPlan, plan: Plan) -> Iterator[Diagnostic]:
    wide = dtypes.activations(plan, lambda dtype: dtype != INT8)
    if not wide:
        return
    yield Diagnostic(
        "QF338",
        f"a calibration cache holds int8 alone, and {dtypes.listed(wide)} is of another type",
        at=export.at,
        notes=("TensorRT chooses a type of its own for a tensor without a line",),
        severity="warning",
    )

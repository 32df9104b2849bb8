"""encodings: the JSON that AIMET and the QNN converters read, and the float model it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.export._encodings import document, legal
from qflow.export._tables.material import OPSET

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.export._model.finished import Finished
    from qflow.plan.plan import ExportPlan, Plan


@dataclass(frozen=True)
class Encodings:
    """The fields are what an `export encodings` block may set.

    Names are tensors of `<stem>.float.onnx`. Every grid is symmetric: its offset is the smallest
    integer of its type, in 2.0.0 its zero point is 0.
    """

    version: str = document.VERSION
    """`0.6.1` for QNN with custom inputs, `1.0.0`, or `2.0.0` for `qairt-converter`."""
    opset: int = OPSET
    """Version of the operator set of the float model."""

    suffix = ".encodings"

    def check(self, export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
        """What the format cannot hold of the plan, found before any work is done."""
        return legal.check(export, plan)

    def write(self, finished: Finished, export: ExportPlan, path: Path) -> tuple[str, ...]:
        """Write `path`, `<stem>.float.onnx` and `<stem>.names.json`; returns what to say of it.

        Raises QflowError: QF336 without the float model, QF405 without onnx, QF502 for an operator
        without ONNX form, QF316 when the folder cannot be written.
        """
        return document.write(finished, export, path)

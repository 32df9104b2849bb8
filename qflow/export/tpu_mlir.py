"""tpu_mlir: a float ONNX model, and the tables with which TPU-MLIR makes integers of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.export._tables.material import OPSET
from qflow.export._tpu_mlir import legal, write

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.export._model.finished import Finished
    from qflow.plan.plan import ExportPlan, Plan


@dataclass(frozen=True)
class TpuMlir:
    """The fields are what an `export tpu_mlir` block may set.

    The model has a tensor per address, so that the rows of both tables are known: the compiler
    calls what an operator gives `TENSOR_Operator`.
    """

    opset: int = OPSET
    """Version of the operator set of the model."""
    batch: int = 1
    """Size of the batch: the compiler wants every shape."""

    suffix = ".onnx"

    def check(self, export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
        """What the compiler cannot make of the plan, found before any work is done."""
        return legal.check(export, plan)

    def write(self, finished: Finished, export: ExportPlan, path: Path) -> tuple[str, ...]:
        """Write `path`, `<stem>_cali_table`, `<stem>_qtable` and `<stem>.names.json`.

        Returns what to say of it. Raises QflowError: QF336 without the float model, QF405 without
        onnx, QF502 for an operator without ONNX form, QF316 when the folder cannot be written.
        """
        return write.write(finished, export, path)

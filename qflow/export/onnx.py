"""onnx: a QuantizeLinear/DequantizeLinear graph that every ONNX runtime reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.export._onnx import legal, settings

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.export._model.finished import Finished
    from qflow.export._onnx.session import Runnable
    from qflow.plan.plan import ExportPlan, Plan


@dataclass(frozen=True)
class Onnx:
    """The fields are what an `export onnx` block may set."""

    opset: int = settings.OPSET
    """Version of the operator set; int16 needs 21."""
    layout: Mapping[str, str] = field(default_factory=dict)
    """Input or output name to `nchw` or `nhwc`; `nchw` where nothing is said."""
    dtype: Mapping[str, str] = field(default_factory=dict)
    """Input or output name to `float32` (where nothing is said) or its own integer type."""

    suffix = ".onnx"

    def check(self, export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
        """What this format cannot hold of the plan, found before any work is done."""
        return legal.check(export, plan)

    def write(self, finished: Finished, export: ExportPlan, path: Path) -> None:
        """Write `path` and, beside it, `<stem>.names.json`: which ONNX tensor is which address.

        The model passes the full ONNX checker before a file appears.
        Raises QflowError: QF405 without onnx, QF501 for a dtype a tensor does not have, QF502 for
        an operator this target does not know, QF316 when the folder cannot be written.
        """
        from qflow.export._onnx.file import write

        write(finished.graph, settings.read(export), path)

    def read(self, path: Path) -> Runnable:
        """The exported model, ready to run. Raises QflowError: QF405 without onnxruntime, QF318."""
        from qflow.export._onnx.session import read

        return read(path)

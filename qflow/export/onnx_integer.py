"""onnx_integer: the integer graph in standard ONNX operators, with qflow's integers to the bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.export._onnx import settings
from qflow.export._onnx_integer import legal

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.export._model.finished import Finished
    from qflow.export._onnx.session import Runnable
    from qflow.plan.plan import ExportPlan, Plan


@dataclass(frozen=True)
class OnnxInteger:
    """The fields are what an `export onnx_integer` block may set.

    Every operator is what its oracle does, written down in integer and float64 operators of ONNX;
    sums are made in float32 where the weights prove that it holds them. So a runtime that keeps to
    the standard gives the integers of the target's own profile, whichever that is.
    """

    opset: int = settings.OPSET
    """Version of the operator set, from 18."""
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
        an operator whose arithmetic ONNX operators cannot express, QF316 when the folder cannot be
        written.
        """
        from qflow.export._onnx.file import write
        from qflow.export._onnx_integer.emit import emit

        write(finished.graph, settings.read(export), path, emit)

    def read(self, path: Path) -> Runnable:
        """The exported model, ready to run. Raises QflowError: QF405 without onnxruntime, QF318."""
        from qflow.export._onnx.session import read

        return read(path)

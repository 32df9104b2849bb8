"""tensorrt_cache: an INT8 calibration cache of TensorRT, and the float model it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.export._tables.material import OPSET
from qflow.export._tensorrt import cache, legal

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.export._model.finished import Finished
    from qflow.plan.plan import ExportPlan, Plan


@dataclass(frozen=True)
class TensorrtCache:
    """The fields are what an `export tensorrt_cache` block may set.

    A line is a tensor of `<stem>.float.onnx` and its scale, as 8 hexadecimal digits of a float32.
    int16, weights and kept accumulators have no place in a cache: they are listed as not exported.
    """

    version: str = cache.VERSION
    """Of TensorRT, in the header: another version calibrates anew."""
    calibrator: str = cache.CALIBRATOR
    """`EntropyCalibration2` or `MinMaxCalibration`: the class of the calibrator that reads it."""
    opset: int = OPSET
    """Version of the operator set of the float model."""

    suffix = ".cache"

    def check(self, export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
        """What a cache cannot hold of the plan, found before any work is done."""
        return legal.check(export, plan)

    def write(self, finished: Finished, export: ExportPlan, path: Path) -> tuple[str, ...]:
        """Write `path`, `<stem>.float.onnx` and `<stem>.names.json`; returns what to say of it.

        Raises QflowError: QF336 without the float model, QF405 without onnx, QF502 for an operator
        without ONNX form, QF316 when the folder cannot be written.
        """
        return cache.write(finished, export, path)

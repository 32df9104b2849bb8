"""qflow: the integers themselves, as the file that `qflow.load` and the NumPy runtime read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.export._model.finished import Finished
    from qflow.export._model.integers import Runnable
    from qflow.plan.plan import ExportPlan, Plan


@dataclass(frozen=True)
class Qflow:
    """Nothing is to be set. Tensors are called by their addresses, and nothing is left out."""

    suffix = ".safetensors"

    def check(self, export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
        """Nothing: whatever has integers can be written."""
        return ()

    def write(self, finished: Finished, export: ExportPlan, path: Path) -> None:
        """Write `path`. Raises QflowError QF316 when the folder cannot be written."""
        from qflow.export._model.integers import write

        write(finished.graph, path)

    def read(self, path: Path) -> Runnable:
        """The integers in the NumPy runtime. Raises QflowError QF302, QF318."""
        from qflow.export._model.integers import read

        return read(path)

"""torch: the fake-quantized model as a state dict, and the plan that says what it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.export._model.finished import Finished
    from qflow.plan.plan import ExportPlan, Plan


@dataclass(frozen=True)
class Torch:
    """Nothing is to be set. `qflow.export.restore` gives the fake-quantized model of both files."""

    suffix = ".safetensors"

    def check(self, export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
        """Nothing: whatever was prepared can be written."""
        return ()

    def write(self, finished: Finished, export: ExportPlan, path: Path) -> None:
        """Write `path`, every parameter and buffer, and `<stem>.plan.json` beside it.

        Raises QflowError: QF336 where there are integers alone, QF316 when the folder cannot be
        written.
        """
        from qflow.export._torch.state import write

        write(finished, path)

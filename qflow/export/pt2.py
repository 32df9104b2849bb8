"""pt2: a program of `torch.export` with quantize and dequantize written out in plain operators."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.export._pt2 import legal

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.export._model.finished import Finished
    from qflow.export._pt2.program import Runnable
    from qflow.plan.plan import ExportPlan, Plan


@dataclass(frozen=True)
class Pt2:
    """The fields are what an `export pt2` block may set.

    Quantize is division, rounding, clamp and a cast to the integer type, dequantize a cast and a
    product: what every torch has, so the file loads with `torch.export.load` alone and computes
    what the fake-quantized model does, bit for bit.
    """

    dynamic: bool = True
    """Free dimensions stay free where the model allows it; else they are those of an example."""

    suffix = ".pt2"

    def check(self, export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
        """What the program would not hold of the plan, found before any work is done."""
        return legal.check(export, plan)

    def write(self, finished: Finished, export: ExportPlan, path: Path) -> None:
        """Write `path` and, beside it, `<name>.names.json`: which node is which address.

        Raises QflowError: QF336 where there are integers alone, QF502 for a model that
        `torch.export` does not take, QF316 when the folder cannot be written.
        """
        from qflow.export._pt2.program import write

        write(finished, export, path)

    def read(self, path: Path) -> Runnable:
        """The program, ready to run; only one whose digest the map of names beside it has.

        Raises QflowError: QF302 without the file, QF318 for another than was written.
        """
        from qflow.export._pt2.program import read

        return read(path)

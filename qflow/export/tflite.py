"""tflite: a full-integer TFLite model, int8 or int16 activations with int8 weights, for LiteRT."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.export._tflite import legal, settings

if TYPE_CHECKING:
    from qflow.diagnostics import Diagnostic
    from qflow.export._model.finished import Finished
    from qflow.export._tflite.session import Runnable
    from qflow.plan.plan import ExportPlan, Plan


@dataclass(frozen=True)
class Tflite:
    """The fields are what an `export tflite` block may set.

    Inputs and outputs are integers, images have the channels last, shapes are fixed: as devices
    take them. What TFLite has no operator for and looks at single values becomes a table, exactly.
    """

    resolver: str = ""
    """Kernels of LiteRT that run it when it is verified: `reference`, `builtin` or `xnnpack`; those
    of the target's profile where nothing is said."""
    batch: int = settings.BATCH
    """Samples that the file takes at once."""
    layout: Mapping[str, str] = field(default_factory=dict)
    """Input or output name to `nhwc` (where nothing is said) or `nchw`."""
    dtype: Mapping[str, str] = field(default_factory=dict)
    """Input or output name to its own integer type (where nothing is said) or `float32`."""
    floats: bool = False
    """Whether operators without an integer kernel may be written as float ones."""

    suffix = settings.SUFFIX

    def check(self, export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
        """What this format cannot hold of the plan, found before any work is done."""
        return legal.check(export, plan)

    def write(self, finished: Finished, export: ExportPlan, path: Path) -> None:
        """Write `path` and, beside it, `<stem>.names.json`: which tensor is which address.

        Raises QflowError: QF405 without LiteRT, QF501 for a dtype a tensor does not have, QF502 for
        an operator, or a form of one, that TFLite does not have, or that would run in floats
        unasked, QF316 when the folder cannot be written.
        """
        from qflow.export._tflite.file import write

        write(finished.graph, settings.read(export), path)

    def read(self, path: Path) -> Runnable:
        """The exported model, ready to run. Raises QflowError: QF405 without LiteRT, QF318."""
        from qflow.export._tflite.session import read

        return read(path)

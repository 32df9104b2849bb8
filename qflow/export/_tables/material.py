"""material: what a target of this kind writes of: the float model and the rows, named alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic, fail

if TYPE_CHECKING:
    from qflow.export._model.finished import Finished
    from qflow.export._tables.rows import Rows
    from qflow.export._tables.tidy import FloatModel
    from qflow.quantization.prepared import PreparedGraph

OPSET = 17
"""The last with which every consumer of these formats is known to work."""


@dataclass(frozen=True)
class Material:
    graph: PreparedGraph
    model: FloatModel
    rows: Rows


def material(finished: Finished, target: str, opset: int, batch: int | None) -> Material:
    """Raises QflowError: QF336 where there are integers alone, and what capturing raises."""
    from qflow.export._tables.capture import capture
    from qflow.export._tables.rows import rows
    from qflow.export._tables.tidy import tidy
    from qflow.quantization.recording import record

    if finished.whole is None:
        raise fail(
            Diagnostic(
                "QF336",
                f"`{target}` writes scales of the float model, and there are integers alone",
                help=f'write `export {target} "..." {{}}` into the file, and run it',
            )
        )
    graph = record(finished.whole.prepared())
    model = tidy(capture(finished.whole.prepared(), opset, batch))
    return Material(graph, model, rows(graph, model))

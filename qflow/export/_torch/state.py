"""state: every parameter and buffer of the fake-quantized model, and the plan beside it."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save

from qflow import atomic
from qflow.diagnostics import EXIT, Diagnostic, fail
from qflow.export._model.finished import Finished, Whole
from qflow.plan import json as plan_json

FORMAT = {"format": "pt"}
"""What readers of safetensors look for."""
PLAN = ".plan.json"


def write(finished: Finished, path: Path) -> None:
    """Raises QflowError QF336, QF316."""
    whole = whole_of(finished, "torch")
    state = whole.prepared().state_dict()
    # safetensors takes no views: two keys that share memory are stored twice
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in state.items()}
    written = {path.with_suffix(PLAN): plan_json.dumps(whole.plan), path: save(tensors, FORMAT)}
    for place, data in written.items():
        try:
            atomic.write(place, data)
        except OSError as error:
            message = f"`{place}` cannot be written: {error.strerror or error}"
            help_ = "name another folder with `--out DIR`"
            raise fail(Diagnostic("QF316", message, help=help_), EXIT.failed) from error


def whole_of(finished: Finished, target: str) -> Whole:
    """The models behind the integers. Raises QflowError QF336."""
    if finished.whole is None:
        raise fail(
            Diagnostic(
                "QF336",
                f"`export {target}` writes the fake-quantized model, and there are integers alone",
                help="export it from a .qf file with `qflow run`",
            )
        )
    return finished.whole

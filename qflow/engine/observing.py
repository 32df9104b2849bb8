"""observing: after a stage, every fake-quantizer it was to observe has seen data."""

from torch import nn

from qflow.diagnostics import Diagnostic, QflowError
from qflow.plan.plan import StagePlan
from qflow.quantization import FakeQuantize

_OBSERVES = ("calibration", "qat")


def refuse_unobserved(module: nn.Module, stage: StagePlan) -> None:
    """Raises QflowError QF401, once for each address no data reached."""
    found = tuple(
        Diagnostic(
            "QF401",
            f"no data reached the observer of `{address}` in stage `{stage.name}`",
            at=stage.at,
            help="its branch never ran: calibrate on data that takes it, or leave it `float`",
        )
        for address, state in stage.states
        if state in _OBSERVES and not _observed(module.get_submodule(address))
    )
    if found:
        raise QflowError(found)


def _observed(module: nn.Module) -> bool:
    return all(c.observed for c in module.children() if isinstance(c, FakeQuantize))

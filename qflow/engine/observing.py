"""observing: what a pass leaves behind: finite outputs, and a scale wherever it observed."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.plan.plan import StagePlan
from qflow.quantization import FakeQuantize

_OBSERVES = ("calibration", "qat")


def refuse_unobserved(module: nn.Module, stage: StagePlan) -> None:
    """Raises QflowError QF401, once for each address no data reached."""
    observes = {a for a, s in stage.states if s in _OBSERVES}
    observes |= {s.address for s in stage.later if s.state in _OBSERVES}
    found = tuple(
        Diagnostic(
            "QF401",
            f"no data reached the observer of `{address}` in stage `{stage.name}`",
            at=stage.at,
            help="its branch never ran: calibrate on data that takes it, or leave it `float`",
        )
        for address, _ in stage.states
        if address in observes and not _observed(module.get_submodule(address))
    )
    if found:
        raise QflowError(found)


def refuse_not_finite(
    outputs: Mapping[str, Tensor],
    module: nn.Module,
    again: Callable[[], object],
    stage: StagePlan,
) -> None:
    """Raises QflowError QF403 with the first module whose output is not finite.

    `again` computes the same batch once more; it is called only when something is wrong.
    """
    wrong = [name for name, tensor in outputs.items() if not torch.isfinite(tensor).all()]
    if not wrong:
        return
    first: list[str] = []
    handles = [
        child.register_forward_hook(_noting(first, address))
        for address, child in module.named_modules()
        if address
    ]
    again()
    for handle in handles:
        handle.remove()
    where = f", first at `{first[0]}`" if first else ""
    raise fail(
        Diagnostic(
            "QF403",
            f"output `{wrong[0]}` is not finite in stage `{stage.name}`{where}",
            at=stage.at,
            help="look at the weights of that module, and for divisions and logarithms before it",
        )
    )


def _noting(first: list[str], address: str) -> Callable[[nn.Module, object, object], None]:
    def note(_: nn.Module, __: object, output: object) -> None:
        if isinstance(output, Tensor) and not torch.isfinite(output).all():
            first.append(address)

    return note


def _observed(module: nn.Module) -> bool:
    return all(c.observed for c in module.children() if isinstance(c, FakeQuantize))

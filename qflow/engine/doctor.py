"""doctor: a checkpoint held against the prepared model of a .qf file or an entry point."""

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from qflow import march as marches
from qflow.compile.front import planned
from qflow.diagnostics import Diagnostic, fail
from qflow.engine import entry, model
from qflow.lang.either import is_yaml
from qflow.quantization import prepare_plan
from qflow.quantization.diagnosing import doctor
from qflow.quantization.state_file import read_state


def examine(
    checkpoint: Path, named: str, settings: Mapping[str, str]
) -> tuple[tuple[Diagnostic, ...], int]:
    """What is wrong with a checkpoint for a model, and how many keys it has.

    Raises QflowError: QF302 and QF311 for the file, and what `model_of` raises.
    """
    state = read_state(checkpoint)
    return doctor(state, model_of(named, settings)), len(state)


def model_of(named: str, settings: Mapping[str, str]) -> nn.Module:
    """The model a checkpoint is to fit: prepared as a .qf file says, or what an entry point gives.

    Weights are not loaded. Raises QflowError: what compiling and tracing the file raises, QF312 for
    an entry point that gives no module.
    """
    if named.endswith(".qf") or is_yaml(named):
        path = Path(named)
        _, plan = planned(path, settings)
        made = model.build(plan.model, path.parent)
        traced = model.traced(made, plan.model, plan.graph, path.parent)
        return prepare_plan(traced, plan, marches.load(plan.target.march))
    if ":" not in named:
        raise fail(
            Diagnostic(
                "QF312",
                f"`{named}` is neither a .qf file nor an entry point",
                help="write `FILE.qf`, or `package.module:function`",
            )
        )
    found = entry.find(named, Path.cwd())
    with entry.importable(Path.cwd()), entry.UserCode(f"`{named}`"):
        made = found if isinstance(found, nn.Module) else found()
    if not isinstance(made, nn.Module):
        raise fail(
            Diagnostic(
                "QF312",
                f"`{named}` gives a {type(made).__name__}, not a torch module",
                help="name a function that returns the prepared model, or a .qf file",
            )
        )
    return made

"""method: a stage that changes a calibrated model layer by layer instead of training it."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from torch import fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.engine import entry, extension, freezing, prepared
from qflow.engine.data import Batch
from qflow.engine.work import Work
from qflow.plan.plan import StagePlan
from qflow.quantization import set_states


def check(stage: StagePlan, work: Work) -> None:
    """Raises QflowError QF312 for a method that cannot be found, before any stage runs."""
    name = stage.setting("method")
    if name is not None:
        extension.find("method", str(name), work, extension.place(stage, "method"))


def run(stage: StagePlan, module: fx.GraphModule, work: Work) -> Mapping[str, Any]:
    """Change the model in place; what came out, as plain data. Raises QflowError QF273."""
    set_states(module, stage.states_at(0))
    freezing.hold(module, stage, 0)
    name = str(stage.setting("method"))
    found = extension.find("method", name, work, extension.place(stage, "method"))
    given = {n: s.value for n, s in stage.settings if n != "method"}
    with work.console.progress(stage.name, 0, "layers") as step:

        def tell(text: str) -> None:
            step.advance()
            step.say(text)

        with entry.UserCode(f"the method `{name}` of stage `{stage.name}`", stage.at):
            made = found(**given)
            batches = islice(work.data[stage.data].batches(), getattr(made, "batches", None))
            runs = tuple(_run(batch, work) for batch in batches)
            teacher = work.model.traced.module.eval()
            layers = made(module, teacher, runs, stage.frozen_at("weight", 0), tell)
    if not layers:
        raise fail(
            Diagnostic(
                "QF273",
                f"`{name}` found no rounded weight in stage `{stage.name}`",
                at=stage.at,
                help='write `state "**" = validation`, and freeze less',
            )
        )
    return {"method": name, "layers": layers}


def _run(batch: Batch, work: Work) -> Callable[[nn.Module], Any]:
    return lambda model: prepared.call(model, batch.inputs, work)

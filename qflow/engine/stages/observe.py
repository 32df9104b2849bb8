"""observe: the pass of a first stage that only observes; its statistics are of no dtype.

They are kept apart from the stage's own result, so that plans that differ in dtypes share them, and
those of a sweep that differ in observers as well: one pass gathers for all.
"""

from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor

from qflow.engine import files, observations, observed, observing, prepared
from qflow.engine.entry import UserCode
from qflow.engine.located import Located
from qflow.engine.work import OBSERVE, Stage, Work
from qflow.plan.plan import Plan


def stages(plan: Plan) -> tuple[Stage, ...]:
    """None where the first stage does more, or something else, than observe."""
    first = observations.observing(plan)
    if first is None:
        return ()
    seed = next(d.seed for d in plan.data if d.name == first.data)
    made = Stage(
        OBSERVE,
        make,
        weights=True,
        data=(first.data,),
        seed=seed,
        slice=lambda work: sorted({observations.id_of(p) for p in (plan, *work.watched)}),
        part_of=first.name,
    )
    return (made,)


def make(work: Work, folder: Path) -> None:
    """Writes a file of statistics per set of observers. Raises QF403, and what UserCode raises."""
    stage = observations.observing(work.plan)
    assert stage is not None, "there is no such stage otherwise"
    found = observed.watchers(work.model.traced, (work.plan, *work.watched))
    data = work.data[stage.data]
    with (
        Located(stage.at),
        torch.no_grad(),
        work.console.progress(OBSERVE, len(data), "samples") as step,
    ):
        for batch in data.batches():
            for watcher in found:
                again = partial(prepared.call, watcher.module, batch.inputs, work)
                with UserCode(f"stage `{stage.name}`", stage.at):
                    outputs = again()
                observing.refuse_not_finite(outputs, watcher.module, again, stage)
            step.advance(len(batch))
        step.say(f"{len(data)} samples of `{stage.data}`, {_counted(work)}")
    for watcher in found:
        for id_, quantizers in watcher.seen.items():
            files.write(folder / file_of(id_), save_safetensors(observed.tensors(quantizers)))


def file_of(id_: str) -> str:
    return f"{id_}.safetensors"


def load(work: Work) -> dict[str, Tensor]:
    """What was gathered for the plan of this run."""
    name = file_of(observations.id_of(work.plan))
    return load_safetensors((work.made[OBSERVE].folder / name).read_bytes())


def _counted(work: Work) -> str:
    sets = {observations.id_of(p) for p in (work.plan, *work.watched)}
    return "1 set of observers" if len(sets) == 1 else f"{len(sets)} sets of observers"

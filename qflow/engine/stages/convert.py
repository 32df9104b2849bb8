"""convert: the finished model as integers, in the model's layout and in the device's."""

import json
from dataclasses import asdict
from pathlib import Path

from qflow.diagnostics import EXIT, QflowError, has_errors
from qflow.emulation import file
from qflow.emulation.layout import lay_out
from qflow.emulation.lowering import lower
from qflow.engine import any_size, colour, files, prepared
from qflow.engine.located import Located
from qflow.engine.work import CONVERT, INTEGER, LOGICAL, STATE, Stage, Work, last_state
from qflow.plan.plan import Plan
from qflow.quantization import record

DIAGNOSTICS = "diagnostics.json"


def stages(plan: Plan) -> tuple[Stage, ...]:
    reads = ((last_state(plan), STATE),)
    return (Stage(CONVERT, make, reads=reads, diagnostics=DIAGNOSTICS),)


def make(work: Work, folder: Path) -> None:
    """Writes both graphs and the warnings. Raises QflowError for what lowering refuses."""
    module = prepared.load(work, last_state(work.plan))
    prepared.set_all(module, work, "validation")
    trained, module = module, colour.deployed(module, work)
    with Located(work.plan.target.at):
        target = work.plan.target
        lowered = lower(record(module), work.march, target.profile, target.unlisted)
        if has_errors(lowered.diagnostics):
            raise QflowError(lowered.diagnostics, EXIT.failed)
        graph = any_size.for_any(lowered.graph, trained, work)
    file.save(graph, folder / LOGICAL)
    device = lay_out(graph, work.march.layout)
    file.save(device, folder / INTEGER)
    found = [
        {k: v for k, v in asdict(d).items() if k not in ("at", "also", "edits")}
        for d in lowered.diagnostics
    ]
    files.write(folder / DIAGNOSTICS, json.dumps(found, indent=2) + "\n")
    work.console.say(CONVERT, f"{len(device.nodes)} operators, layout {work.march.layout}")
    for note in device.notes:
        work.console.say(CONVERT, note)

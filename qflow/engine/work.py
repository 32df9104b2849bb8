"""work: what the stages of one run share, and what a stage is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qflow.diagnostics import Diagnostic
from qflow.engine.cache import Artifact
from qflow.engine.console import Console
from qflow.engine.data import DataSet
from qflow.engine.model import FloatModel
from qflow.march import March
from qflow.plan.inventory import Inventory
from qflow.plan.plan import Plan


@dataclass
class Work:
    plan: Plan
    march: March
    inventory: Inventory
    folder: Path
    """Folder of the .qf file."""
    model: FloatModel
    data: Mapping[str, DataSet]
    console: Console
    watched: tuple[Plan, ...] = ()
    """Plans of a sweep that this one's pass of calibration observes for as well."""
    made: dict[str, Artifact] = field(default_factory=dict)
    """Artifacts of the stages that are done."""
    checkpoint: Path | None = None
    """Where the stage being made keeps what it needs to go on after a kill; a file."""


@dataclass(frozen=True)
class Stage:
    """One step of a run. Its key is made of `plan`, `reads`, `weights`, `data` and `code`."""

    name: str
    make: Callable[[Work, Path], None]
    """Does the work and writes its files into the folder."""
    reads: tuple[tuple[str, str], ...] = ()
    """Files of earlier artifacts: (stage, file name), or (stage, "*") for all of them."""
    weights: bool = False
    """It reads the float model's weights."""
    data: tuple[str, ...] = ()
    """Data blocks it reads."""
    code: tuple[str, ...] = ()
    """Entry points of the user's own code it calls, besides model and loaders."""
    seed: int = 0
    slice: Callable[[Work], object] | None = None
    """What of the plan it is made from, where that is not the hash under its own name."""
    part_of: str = ""
    """The stage of the file it belongs to: whoever asks for that one anew asks for both."""
    diagnostics: str = ""
    """A file of its artifact that holds warnings; they are repeated when the artifact is reused."""


STATE = "state.safetensors"
"""Every parameter and buffer of the prepared model, observers included."""

LOGICAL = "logical.safetensors"
"""The integer graph with images in NCHW, as in the model."""
INTEGER = "integer.safetensors"
"""The integer graph in the layout of the march: what a device runs."""

TRACE, PREPARE, OBSERVE = "trace", "prepare", "observe"
CONVERT, EXPORT, VERIFY = "convert", "export", "verify"


def last_state(plan: Plan) -> str:
    """The stage whose weights and scales are the finished model's."""
    changing = [s.name for s in plan.stages if not s.evaluates]
    return changing[-1] if changing else PREPARE


def judged_on(plan: Plan) -> str | None:
    """The data block the summary's numbers are about.

    That of the last stage that only evaluates; else of the first claim that names one; else of the
    last stage.
    """
    evaluating = [s.data for s in plan.stages if s.evaluates]
    claimed = [c.data for c in plan.claims if c.data is not None]
    stages = [s.data for s in plan.stages]
    return next(iter([*evaluating[-1:], *claimed[:1], *stages[-1:]]), None)


def diagnostic_of(record: Mapping[str, object]) -> Diagnostic:
    """A diagnostic as an artifact keeps it: without its place, its notes as a JSON list."""
    notes = tuple(record["notes"])  # type: ignore[arg-type]
    return Diagnostic(**{**record, "notes": notes})  # type: ignore[arg-type]

"""sensitivity: a step behind the trace: measures the tables a file names, beside the file."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, fx

from qflow import analysis, march
from qflow import compile as compiler
from qflow.compile.front import Front
from qflow.compile.tables import origin, path_of, stale
from qflow.compile.unit import SensitivitySpec, Unit
from qflow.diagnostics import EXIT, QflowError
from qflow.engine import candidate, data, files, seeds, structure
from qflow.engine.console import Console, Step
from qflow.engine.located import Located
from qflow.engine.model import FloatModel
from qflow.lang import syntax
from qflow.lang.program import Program
from qflow.plan.lock import Lock
from qflow.plan.sensitivity import Table, render
from qflow.quantization import prepare_plan, set_states

NAME = "sensitivity"


@dataclass(frozen=True)
class Subject:
    """What a table is measured from: a file, and its model as it was traced."""

    path: Path
    """Of the .qf file."""
    program: Program
    settings: Mapping[str, str]
    model: FloatModel
    console: Console


def missing(subject: Subject, found: Front) -> Front:
    """Measure every table a rule needs and nobody measured; then compile once more, with them.

    A table that is there is taken as it is; QF231 where it was measured with other weights.
    """
    inventory = found.lock.inventory if found.lock else subject.model.traced.inventory
    unit = found.unit or compiler.compile(subject.program, inventory, subject.settings).unit
    _warn_of_weights(subject, unit)
    wanted = [s for s in unit.sensitivities if s.name in _asked(unit) and _is_missing(unit, s)]
    if not wanted:
        return found
    if found.lock is not None:
        refuse_stale(subject, found.lock)
    for spec in wanted:
        measure(subject, spec)
    done = compiler.compile(subject.program, inventory, subject.settings)
    if done.plan is None:
        raise QflowError(done.diagnostics, sources=dict(found.sources))
    subject.console.diagnose(done.diagnostics)
    return replace(found, unit=done.unit, plan=done.plan if found.lock else None)


def measure(subject: Subject, spec: SensitivitySpec) -> Table:
    """Give every module the candidate, calibrate, measure, and write the table at once.

    What was measured when somebody stopped it is kept beside the table, and the next call goes on
    from there. Raises QflowError: what preparing and calibrating raise, QF316 where nothing can be
    written.
    """
    at = spec.at
    console = subject.console
    with Located(at):
        plan, unit = candidate.compiled(
            subject.program, spec, subject.model.traced.inventory, subject.settings
        )
    chosen = next(d for d in plan.data if d.name == spec.data)
    samples = data.load(chosen, plan.model.inputs, subject.path.parent)
    with Located(at, EXIT.failed), seeds.deterministic():
        seeds.start(chosen.seed, NAME, spec.name)
        module = prepare_plan(subject.model.traced, plan, march.load(plan.target.march))
        set_states(module, dict(plan.stages[0].states))
        _calibrate(module, samples, console)
        measured = _first(samples, spec.samples)
        table = _measured(module, measured, spec, path_of(unit.program.path, spec), console)
    whole = replace(origin(unit, spec), samples=measured.digest, weights=subject.model.weights)
    made = table.table(spec.metric, whole)
    files.write(path_of(unit.program.path, spec), render(made))
    rows = len(table.of(metric=spec.metric))
    console.say(
        NAME,
        f"{rows} tensors by {spec.metric} on {len(measured)} samples, {table.evaluations:,} module "
        f"evaluations ({table.brute_force:,} by brute force): {spec.table}",
    )
    return made


def refuse_stale(subject: Subject, lock: Lock) -> None:
    """A table of another model than the lock's would be stale at once. Raises QflowError QF301."""
    span = subject.program.models[0].name_span if subject.program.models else None
    structure.refuse_stale(lock, subject.model.traced.inventory, subject.path, span)


def _asked(unit: Unit) -> set[str]:
    """Names of the blocks that selectors of the file read."""
    rules = [r for q in unit.program.quantizes for r in q.rules]
    statements = [s for stage in unit.stages for s in (*stage.states, *stage.freezes)]
    selectors = [r.selector for r in rules if isinstance(r, syntax.MatchRule)]
    selectors += [s.selector for s in statements]
    calls = [a for s in selectors for a in (*s.atoms, *s.excluded) if isinstance(a, syntax.Call)]
    names = [a.value for c in calls for a in c.args if isinstance(a, syntax.Name)]
    return set(names)


def _is_missing(unit: Unit, spec: SensitivitySpec) -> bool:
    return spec.name in unit.tables and unit.tables[spec.name] is None


def _warn_of_weights(subject: Subject, unit: Unit) -> None:
    for spec in unit.sensitivities:
        table = unit.tables.get(spec.name)
        if table is not None:
            now = replace(origin(unit, spec), weights=subject.model.weights)
            found = stale(spec, table, now, unit.program.path, ("weights",))
            subject.console.diagnose(found)


def _calibrate(module: fx.GraphModule, samples: data.DataSet, console: Console) -> None:
    with torch.no_grad(), console.progress("calibrate", len(samples), "samples") as step:
        for batch in samples.batches():
            module(**_tensors(batch))
            step.advance(len(batch))


def _first(samples: data.DataSet, count: int | None) -> data.DataSet:
    return samples if count is None else replace(samples, indices=samples.indices[:count])


def _measured(
    module: fx.GraphModule,
    samples: data.DataSet,
    spec: SensitivitySpec,
    path: Path,
    console: Console,
) -> analysis.SensitivityTable:
    partial = path.with_name(f".{path.name}.partial")
    with _Bar(console) as bar:
        try:
            return analysis.sensitivity(
                module,
                _Batches(samples),
                metrics=(spec.metric,),
                progress=bar.show,
                resume=partial,
            )
        except OSError as error:
            if not files.is_about(error, path.parent):
                raise
            raise files.unwritable(partial, error, EXIT.failed) from error


@dataclass(frozen=True)
class _Batches:
    """The batches of a data set, as many as there are."""

    samples: data.DataSet

    def __len__(self) -> int:
        return -(-len(self.samples) // self.samples.spec.batch)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return map(_tensors, self.samples.batches())


def _tensors(batch: data.Batch) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in batch.inputs.items()}


@dataclass
class _Bar:
    """A progress bar that learns its length with the first step."""

    console: Console
    done: int = 0
    step: Step | None = None
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def show(self, done: int, total: int | None, address: str) -> None:
        if self.step is None:
            bar = self.console.progress(NAME, total or done, "tensors")
            self.step = self.stack.enter_context(bar)
        self.step.advance(done - self.done, address)
        self.done = done

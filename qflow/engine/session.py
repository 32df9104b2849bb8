"""session: the part of a run that needs torch: trace, data, stages, what came out."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qflow import compile as compiler
from qflow import march
from qflow.compile.front import Front
from qflow.diagnostics import EXIT, Diagnostic, QflowError
from qflow.engine import data, digest, environment, files, publish, structure
from qflow.engine import state as states
from qflow.engine.cache import Cache
from qflow.engine.console import Console
from qflow.engine.folder import RunFolder
from qflow.engine.model import FloatModel
from qflow.engine.model import load as load_model
from qflow.engine.preflight import check
from qflow.engine.report import report
from qflow.engine.run import again
from qflow.engine.runner import Done, run_stages
from qflow.engine.sensitivity import Subject, missing
from qflow.engine.stages.verify import RESULTS, data_of
from qflow.engine.summary import render, summarize
from qflow.engine.verdict import Verdict, verdicts
from qflow.engine.work import TRACE, VERIFY, Work
from qflow.plan import json as plan_json
from qflow.plan import text as plan_text
from qflow.plan.plan import GraphSpec, ModelSpec, Plan


def execute(
    path: Path,
    found: Front,
    settings: Mapping[str, str],
    folder: RunFolder,
    from_stage: str | None,
    console: Console,
) -> int:
    """Trace, run the stages, write what came out. Returns 0, or 1 when an `assert` is false."""
    work, traced = begin(path, found, settings, console)
    return carry_out(work, traced, folder, Cache(folder.cache), from_stage).code


@dataclass(frozen=True)
class Ended:
    """How a run went."""

    code: int
    """0, or 1 when an `assert` is false."""
    done: Mapping[str, Done]
    """Every stage, the trace first."""


def carry_out(
    work: Work, traced: Done, folder: RunFolder, cache: Cache, from_stage: str | None = None
) -> Ended:
    """The stages of a plan that stands, and what came out of them, in the run folder."""
    state = bring_up(work, folder, from_stage)
    done = {TRACE: traced, **run_stages(work, cache, state, again(work.plan, from_stage))}
    publish.results(work, folder)
    return Ended(_finish(work, folder, done, state), done)


def begin(
    path: Path, found: Front, settings: Mapping[str, str], console: Console
) -> tuple[Work, Done]:
    """The model traced, the plan, the data read and checked, before any stage."""
    started = time.perf_counter()
    model = trace(path, found, settings)
    whole = plan(path, found, settings, model, console)
    return ready(whole, model, path.parent, started, console)


def ready(
    plan: Plan,
    model: FloatModel,
    folder: Path,
    started: float,
    console: Console,
    watched: tuple[Plan, ...] = (),
) -> tuple[Work, Done]:
    """Everything a stage needs, checked: the data read, the model as it was traced since `started`.

    `folder` is that of the .qf.
    """
    traced = Done(time.perf_counter() - started, "ran")
    console.say(TRACE, f"{len(model.traced.inventory.modules)} modules, {_weights(plan, model)}")
    work = Work(
        plan=plan,
        march=march.load(plan.target.march),
        inventory=model.traced.inventory,
        folder=folder,
        model=model,
        data=_data(plan, folder, console),
        console=console,
        watched=watched,
    )
    check(work)
    return work, traced


def bring_up(work: Work, folder: RunFolder, from_stage: str | None) -> states.State:
    """The folder speaks of this run from now on. Returns how far an earlier attempt came."""
    state = states.read(folder.state, digest.of_json([work.plan.hashes, from_stage]))
    _freeze(work.plan, folder)
    return state


def trace(path: Path, found: Front, settings: Mapping[str, str]) -> FloatModel:
    """The float model. It is traced in every run: that is how a change of the model is noticed."""
    return load_model(*asked(found, settings), path.parent)


def asked(found: Front, settings: Mapping[str, str]) -> tuple[ModelSpec, GraphSpec]:
    """What a trace is made from. Raises QflowError where the file does not say it."""
    assert found.program is not None
    outline = compiler.outline(found.program, settings)
    if outline.model is None:
        raise QflowError(outline.diagnostics, sources=dict(found.sources))
    return outline.model, outline.graph


def plan(
    path: Path, found: Front, settings: Mapping[str, str], model: FloatModel, console: Console
) -> Plan:
    """The plan from the lock, which must fit; without a lock, from the trace.

    Sensitivity tables a rule needs and nobody measured are measured first.
    """
    assert found.program is not None
    found = missing(Subject(path, found.program, settings, model, console), found)
    assert found.program is not None
    if found.plan is not None and found.lock is not None:
        structure.refuse_stale(found.lock, model.traced.inventory, path, found.plan.model.at)
        return found.plan
    shown = path.as_posix()
    console.diagnose(
        [
            Diagnostic(
                "QF304",
                f"`{shown}` has no lock: the plan is made from this run's own trace",
                help=f"run `qflow lock {shown}` and commit the file it writes",
                severity="note",
            )
        ]
    )
    compiled = compiler.compile(found.program, model.traced.inventory, settings)
    if compiled.plan is None:
        raise QflowError(compiled.diagnostics, sources=dict(found.sources))
    console.diagnose(compiled.diagnostics)
    return compiled.plan


def _weights(plan: Plan, model: FloatModel) -> str:
    """Where the weights are from, and how far a model from a file is from it."""
    found = f"weights of {plan.model.checkpoint or plan.model.file}"
    if not plan.model.checkpoint and not plan.model.file:
        found = "no checkpoint"
    return f"{found}, {model.parity}" if model.parity else found


def _data(plan: Plan, folder: Path, console: Console) -> dict[str, data.DataSet]:
    """Every data block a stage or a claim uses, with every sample checked."""
    judged = [s.validates for s in plan.stages if s.validates is not None]
    used = dict.fromkeys([*(s.data for s in plan.stages), *judged, *data_of(plan)])
    specs = {d.name: d for d in plan.data}
    loaded = {name: data.load(specs[name], plan.model.inputs, folder) for name in used}
    for name, found in loaded.items():
        asked = specs[name].samples
        if asked is not None and len(found) < asked:
            console.diagnose([_few(name, len(found), asked, found)])
        with console.progress(f"read {name}", len(found), "samples") as step:
            found.check(step.advance)
    return loaded


def _few(name: str, there: int, asked: int, found: data.DataSet) -> Diagnostic:
    return Diagnostic(
        "QF404",
        f"data `{name}` has {there} samples, {asked} were asked for",
        at=found.spec.at,
        help=f"set `samples = {there}` or give it more",
        severity="warning",
    )


def _freeze(plan: Plan, folder: RunFolder) -> None:
    """From here on the folder speaks of this run; the summary comes back when it is done."""
    files.remove(folder.summary)
    files.write(folder.root / "plan.txt", plan_text.render(plan))
    files.write(folder.root / "plan.json", plan_json.dumps(plan))
    files.write(folder.root / "environment.json", environment.render())


def _finish(work: Work, folder: RunFolder, done: Mapping[str, Done], state: states.State) -> int:
    results: Mapping[str, Any] = work.made[VERIFY].json(RESULTS)
    judged = verdicts(work.plan, results["claims"])
    work.console.diagnose(d for v in judged if (d := _warning(v)) is not None)
    failed = tuple(d for v in judged if (d := _failure(v)) is not None)
    found = [*work.console.found, *failed]
    summary = summarize(work.plan, done, results, judged, found)
    files.write(folder.summary, render(summary))
    state.end()
    work.console.show(report(summary, done, judged))
    spent = sum(d.seconds for d in done.values() if d.how == "ran")
    work.console.say("results", f"in {folder.root.as_posix()}, {spent:.1f} s of work")
    if failed:
        work.console.diagnose(failed)
        return EXIT.no
    return EXIT.yes


def _failure(verdict: Verdict) -> Diagnostic | None:
    if verdict.holds or verdict.claim.severity != "assert":
        return None
    return _judged(verdict)


def _warning(verdict: Verdict) -> Diagnostic | None:
    if verdict.holds or verdict.claim.severity != "warn":
        return None
    return replace(_judged(verdict), severity="warning")


def _judged(verdict: Verdict) -> Diagnostic:
    return Diagnostic(
        "QF402",
        f"`{verdict.claim.text}` does not hold",
        at=verdict.claim.at,
        notes=() if verdict.value is None else (f"measured: {verdict.value}",),
    )

"""front: from the path of a file to a compiled plan: read, parse, take the lock, compile."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from qflow import compile as compiler
from qflow.compile import names
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, QflowError, Severity, has_errors, sort
from qflow.lang.either import parse_file
from qflow.lang.imports import imported
from qflow.lang.parse import Parsed
from qflow.lang.program import Program, program_of
from qflow.lang.sources import DISK, Sources
from qflow.plan import sizes
from qflow.plan.code_parts import parts
from qflow.plan.lock import FileFact, Lock, digest, lock_path, read
from qflow.plan.plan import ModelSpec, Plan
from qflow.records import dataclass

LARGEST = 64_000_000
"""Bytes; the digest of larger weights is compared only when the lock must fit."""


@dataclass(frozen=True)
class Front:
    """What is known of a file without torch."""

    program: Program | None
    """None when the text does not parse."""
    text: str
    lock: Lock | None
    plan: Plan | None
    unit: Unit | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    """Text by path, for excerpts."""


def front(
    path: Path, settings: Mapping[str, str], locked: bool = False, sources: Sources = DISK
) -> Front:
    """Everything that can be said of a file. Problems of the text, the lock and the plan are data.

    `locked`: the lock must be there and fit. Every file is read from `sources`.
    Raises QflowError only when the file cannot be read.
    """
    shown = path.as_posix()
    text = sources.text(path, shown)
    return judged(parse_file(text, shown), path, {shown: text}, settings, locked, sources)


def judged(
    parsed: Parsed,
    path: Path,
    texts: Mapping[str, str],
    settings: Mapping[str, str],
    locked: bool = False,
    sources: Sources = DISK,
) -> Front:
    """As `front`, of a program that was read already, whose nodes may come from `texts`."""
    texts = dict(texts)
    text = texts.get(path.as_posix(), "")
    if parsed.file is None:
        return Front(None, text, None, None, None, sort(parsed.diagnostics), texts)
    own = replace(program_of(parsed.file), parts=tuple(sorted({*texts} - {path.as_posix()})))
    whole = imported(own, sources)
    program, found = whole.program, [*parsed.diagnostics, *whole.diagnostics]
    texts.update(whole.texts)
    if has_errors(found):
        # what a name of another file stands for is not known: nothing else can be judged
        return Front(program, text, None, None, None, sort(found), texts)
    if program.only_names:
        # without a plan there is nothing a lock could be about
        needed = set(names.missing(program))
        said = compiler.outline(program, settings).diagnostics
        found += [d for d in said if d not in needed]
        found += _nothing_to_plan(program)
        return Front(program, text, None, None, None, sort(found), texts)
    lock, problems, more = _lock(path, locked, sources)
    found += problems
    texts.update(more)
    if lock is None:
        outline = compiler.outline(program, settings)
        found += outline.diagnostics
        return Front(program, text, None, None, None, sort(found), texts)
    done = compiler.compile(program, lock.inventory, settings, sources)
    stale = [*_stale(lock, done.unit, locked), *_changed(lock, path, locked, sources)]
    found += done.diagnostics
    found += stale
    found += _not_locked(lock, program) if locked else ()
    plan = None if has_errors(found) else done.plan
    return Front(program, text, lock, plan, done.unit, sort(found), texts)


def planned(path: Path, settings: Mapping[str, str], sources: Sources = DISK) -> tuple[Front, Plan]:
    """As `front`, for verbs that are nothing without a plan.

    Raises QflowError with every diagnostic when there is none.
    """
    found = front(path, settings, sources=sources)
    if found.plan is None:
        raise unplanned(found)
    return found, found.plan


def unplanned(found: Front) -> QflowError:
    """Why a file has no plan."""
    diagnostics = tuple(_as_error(d) for d in found.diagnostics)
    if found.program is not None and found.program.only_names:
        diagnostics = sort((*diagnostics, *names.missing(found.program)))
    return QflowError(diagnostics, sources=dict(found.sources))


def _nothing_to_plan(program: Program) -> Iterator[Diagnostic]:
    """A note where somebody may have meant a pipeline: a library of qconfigs has no model."""
    for model in program.models:
        yield Diagnostic(
            "QF115",
            "this file only has names for other files: there is nothing to plan",
            at=model.name_span,
            help="write `quantize` and `schedule` if it is a pipeline",
            severity="note",
        )


def _as_error(found: Diagnostic) -> Diagnostic:
    return replace(found, severity="error") if found.code == "QF304" else found


def _lock(
    path: Path, locked: bool, sources: Sources
) -> tuple[Lock | None, list[Diagnostic], dict[str, str]]:
    try:
        return read(lock_path(path), lock_path(path).as_posix(), sources.read), [], {}
    except QflowError as error:
        found = list(error.diagnostics)
        if all(d.code == "QF304" for d in found) and not locked:
            found = [
                replace(d, severity="note", notes=("only what needs no model was checked",))
                for d in found
            ]
        return None, found, error.sources


def _stale(lock: Lock, unit: Unit, locked: bool) -> Iterator[Diagnostic]:
    """QF301 when the lock was made from another model than the file declares."""
    if unit.model is None:
        return
    reason = _difference(lock, unit.model)
    traced = compiler.traced(unit.model, unit.graph)
    if reason is None and lock.traced and lock.traced != traced:
        reason = "its arguments, or what `graph` wraps and keeps whole, are others"
    if reason is None or _said(unit):
        return
    yield Diagnostic(
        "QF301",
        "the lock does not fit this `model` block",
        at=unit.model.at,
        notes=(reason,),
        help=f"run `qflow lock {unit.program.path}`",
        severity=_severity(locked),
    )


def _said(unit: Unit) -> bool:
    """Whether the blocks a lock is made from have errors: then it can only differ from them."""
    program = unit.program
    blocks = [b.span for b in (*program.models, *program.graphs)]
    wrong = [d.at for d in unit.diagnostics if d.severity == "error" and d.at is not None]
    return any(
        b.path == at.path and b.line <= at.line <= b.end_line for b in blocks for at in wrong
    )


def _difference(lock: Lock, model: ModelSpec) -> str | None:
    inventory = lock.inventory
    if inventory.model != model.source:
        return f"the lock is of `{inventory.model}`"
    declared = tuple((p.name, sizes.example(p)) for p in model.inputs)
    traced = tuple((m.address, m.shape) for m in inventory.modules if m.op == "input")
    if declared != traced:
        return f"the lock has the inputs {_listed(traced)}, the file {_listed(declared)}"
    outputs = tuple(f"output.{p.name}" for p in model.outputs)
    found = tuple(m.address for m in inventory.modules if m.op == "output")
    if outputs != found:
        return f"the lock has the outputs {', '.join(found)}, the file {', '.join(outputs)}"
    return None


def _listed(ports: tuple[tuple[str, tuple[int, ...]], ...]) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in ports)


def _changed(lock: Lock, path: Path, locked: bool, sources: Sources) -> Iterator[Diagnostic]:
    """Files that are not what they were when the lock was written."""
    facts: dict[str, list[FileFact]] = {}
    for fact in lock.files:
        facts.setdefault(fact.path, []).append(fact)
    for name, told in facts.items():
        try:
            others = _others(told, path.parent / name, locked, sources)
        except OSError:
            yield _missing(told[0], locked)
            continue
        if others:
            named = ", ".join(f"`{part}`" for part in others if part)
            yield Diagnostic(
                "QF303",
                f"`{name}` is not the file the lock was written for",
                notes=(f"what differs is {named}",) if named else (),
                help=f"run `qflow lock {path.as_posix()}`",
                severity=_severity(locked),
            )


def _not_locked(lock: Lock, program: Program) -> Iterator[Diagnostic]:
    """Imported files the lock knows nothing of: it was written before they were used."""
    known = {fact.path for fact in lock.files}
    for name in program.imported:
        if name not in known:
            message = f"the lock says nothing of `{name}`, which is imported"
            yield Diagnostic("QF303", message, help=f"run `qflow lock {program.path}`")


def _missing(fact: FileFact, locked: bool) -> Diagnostic:
    """Weights are often kept elsewhere, and no plan needs them; code belongs to the repository."""
    severity: Severity = "note" if fact.kind == "weights" else _severity(locked)
    message = f"`{fact.path}`, which the lock names, is not here"
    return Diagnostic("QF302", message, severity=severity)


def _others(told: list[FileFact], file: Path, locked: bool, sources: Sources) -> tuple[str, ...]:
    """Parts of a file that differ from what a lock tells; `""` for the whole."""
    fact = told[0]
    if fact.kind == "weights":
        size = sources.size(file)
        if size == fact.size and size > LARGEST and not locked:
            return ()
        return () if size == fact.size and digest(sources.read(file)) == fact.digest else ("",)
    raw = sources.read(file)
    if not fact.part:
        # a checkout may write other line ends
        return () if digest(raw.replace(b"\r\n", b"\n")) == fact.digest else ("",)
    before, now = {f.part: f.digest for f in told}, parts(raw)
    return tuple(n for n in sorted(before | now) if before.get(n) != now.get(n))


def _severity(locked: bool) -> Severity:
    return "error" if locked else "warning"

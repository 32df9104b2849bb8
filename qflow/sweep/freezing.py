"""freezing: every point compiled and its plan written, before one runs; all errors at once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from qflow.compile.front import Front
from qflow.compile.many import Compiled, collected, compiled
from qflow.diagnostics import EXIT, Diagnostic, QflowError, has_errors
from qflow.engine import files
from qflow.engine.console import Console
from qflow.plan import cost
from qflow.plan import json as plan_json
from qflow.plan.plan import Plan
from qflow.records import dataclass
from qflow.sweep.asked import THREADS, Asked
from qflow.sweep.folder import SweepFolder
from qflow.sweep.record import FrozenPoint, Record

_SAID_LATER = ("QF304", "QF280")
"""Where they still hold when the model was traced and the tables were measured."""


@dataclass(frozen=True)
class Point:
    """A point and all that is decided about it."""

    name: str
    values: tuple[tuple[str, str], ...]
    plan: Plan
    model: str


def understood(asked: Asked) -> tuple[Compiled, ...]:
    """Every point, compiled without the model. Raises QflowError with every error of all points."""
    return checked(compiled(asked.file, asked.sweep, asked.varied, asked.settings))


def checked(points: tuple[Compiled, ...]) -> tuple[Compiled, ...]:
    """The same, if each can be run. Raises QflowError with every error of all points."""
    found = {p.point.name: _strict(p.front) for p in points}
    if any(has_errors(diagnostics) for diagnostics in found.values()):
        raise QflowError(collected(found), sources=sources_of(points))
    return points


def sources_of(points: Sequence[Compiled]) -> dict[str, str]:
    return {path: text for p in points for path, text in p.front.sources.items()}


def warnings_of(points: Sequence[Compiled]) -> tuple[Diagnostic, ...]:
    """What is to be said before the model is looked at."""
    found = {p.point.name: p.front.diagnostics for p in points}
    return tuple(d for d in collected(found) if d.code not in _SAID_LATER)


def frozen(asked: Asked, points: Sequence[Compiled], console: Console) -> tuple[Point, ...]:
    """With the model: every plan as it will be run.

    Raises QflowError with every error of all points, or with the first of a user's own code.
    """
    # torch is imported from here on: a mistake in the file is answered without it
    from qflow.engine.frozen import Memo, freeze

    memo = Memo()
    done: list[Point] = []
    wrong: dict[str, tuple[Diagnostic, ...]] = {p.point.name: () for p in points}
    texts = sources_of(points)
    for p in points:
        try:
            made = freeze(asked.file, p.front, dict(p.point.settings), console, memo)
            done.append(Point(p.point.name, p.values, made.plan, made.model))
        except QflowError as error:
            error.sources = {**texts, **error.sources}
            if error.exit_code != EXIT.cannot:
                raise
            wrong[p.point.name] = error.diagnostics
            texts = error.sources
    if any(wrong.values()):
        raise QflowError(collected(wrong), sources=texts)
    return tuple(done)


def written(asked: Asked, points: Sequence[Point], folder: SweepFolder, batch: int) -> Record:
    """Put the plans where the jobs find them; `batch` of them run at once.

    Raises QflowError QF316.
    """
    watched = _watched([p.plan for p in points])
    return Record(
        program=asked.file.as_posix(),
        sweep=asked.sweep,
        varied=tuple(asked.varied.items()),
        settings=tuple(asked.settings.items()),
        threads=asked.threads or THREADS,
        points=tuple(
            _written(p, folder, tuple(points[n].name for n in beside))
            for p, beside in zip(points, watched, strict=True)
        ),
        wanted=replace(asked.wanted, batch=batch),
    )


def _written(point: Point, folder: SweepFolder, watched: tuple[str, ...]) -> FrozenPoint:
    text = plan_json.dumps(point.plan)
    files.write(folder.plan(point.name), text)
    taken = cost.of(point.plan)
    return FrozenPoint(
        name=point.name,
        values=point.values,
        plan=digest(text.encode()),
        model=point.model,
        weight_bytes=taken.weight_bytes,
        bit_operations=taken.bit_operations,
        watched=watched,
    )


def digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()


def is_as_written(path: Path, point: FrozenPoint) -> bool:
    """Whether the file of a plan is the one that was frozen."""
    try:
        return digest(path.read_bytes()) == point.plan
    except OSError:
        return False


def _watched(plans: list[Plan]) -> list[tuple[int, ...]]:
    from qflow.engine.observations import watched

    return watched(plans)


def _strict(front: Front) -> tuple[Diagnostic, ...]:
    """A plan made from another model's lock is none: a warning to a reader stops a run."""
    return tuple(_stale_is_wrong(front.diagnostics))


def _stale_is_wrong(found: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    for d in found:
        yield replace(d, severity="error") if d.code == "QF301" else d

"""many: every point of a sweep compiled before one of them runs, and all that is wrong at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qflow.compile.front import Front, judged, unplanned
from qflow.compile.points import Point, points
from qflow.diagnostics import Diagnostic, QflowError, has_errors, sort
from qflow.diagnostics.causes import once
from qflow.lang.either import parse_file
from qflow.lang.imports import imported
from qflow.lang.parse import Parsed
from qflow.lang.program import program_of
from qflow.lang.sources import DISK, Sources

_NAMED = 3
"""Points a finding names; the others it counts."""


@dataclass(frozen=True)
class Compiled:
    """One point of a sweep, and what is known of it."""

    point: Point
    front: Front
    chosen: tuple[tuple[str, str], ...] = ()
    """What is varied where that is more than params: config groups and their options."""

    @property
    def values(self) -> tuple[tuple[str, str], ...]:
        """What the sweep gives this point, in its order."""
        if self.chosen:
            return self.chosen
        given = dict(self.point.settings)
        return tuple((name, given[name]) for name in self.point.varied)


def compiled(
    path: Path,
    sweep: str | None,
    overrides: Mapping[str, tuple[str, ...]],
    settings: Mapping[str, str],
    locked: bool = False,
    sources: Sources = DISK,
) -> tuple[Compiled, ...]:
    """Every point `points` finds in a file, compiled; what is wrong with a plan is data.

    Raises QflowError when the file cannot be read or parsed, and as `points`.
    """
    shown = path.as_posix()
    text = sources.text(path, shown)
    parsed = parse_file(text, shown)
    texts = {shown: text}
    found = _points(parsed, sweep, overrides, settings, texts, sources)
    return tuple(
        Compiled(p, judged(parsed, path, texts, dict(p.settings), locked, sources)) for p in found
    )


def _points(
    parsed: Parsed,
    sweep: str | None,
    overrides: Mapping[str, tuple[str, ...]],
    settings: Mapping[str, str],
    texts: Mapping[str, str],
    sources: Sources,
) -> tuple[Point, ...]:
    if parsed.file is None:
        raise QflowError(parsed.diagnostics, sources=dict(texts))
    whole = imported(program_of(parsed.file), sources)
    known = {**texts, **whole.texts}
    wrong = sort((*parsed.diagnostics, *whole.diagnostics))
    if has_errors(wrong):
        raise QflowError(wrong, sources=known)
    try:
        return points(whole.program, sweep, overrides, settings)
    except QflowError as error:
        raise QflowError(error.diagnostics, error.exit_code, {**known, **error.sources}) from error


@dataclass(frozen=True)
class Said:
    """What is to be told of a whole sweep."""

    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]


def said(points: Sequence[Compiled]) -> Said:
    """Of every point; where one has no plan, also why."""
    found = {
        c.point.name: c.front.diagnostics
        if c.front.plan is not None
        else unplanned(c.front).diagnostics
        for c in points
    }
    sources = {path: text for c in points for path, text in c.front.sources.items()}
    return Said(collected(found), sources)


def unplanned_points(points: Sequence[Compiled]) -> QflowError | None:
    """Why not every point has a plan, of all of them at once; None when each has."""
    if all(c.front.plan is not None for c in points):
        return None
    about = said(points)
    return QflowError(about.diagnostics, sources=dict(about.sources))


def collected(found: Mapping[str, Sequence[Diagnostic]]) -> tuple[Diagnostic, ...]:
    """Findings of all points, by the name of the point: each once, sorted.

    One that not every point has says in a note which have it.
    """
    where: dict[Diagnostic, list[str]] = {}
    for name, diagnostics in found.items():
        for d in once(diagnostics):
            where.setdefault(d, []).append(name)
    return sort(
        d if len(names) == len(found) else replace(d, notes=(*d.notes, _at(names)))
        for d, names in where.items()
    )


def _at(names: Sequence[str]) -> str:
    return f"at {'the point' if len(names) == 1 else 'the points'} {', '.join(_listed(names))}"


def _listed(names: Sequence[str]) -> Iterator[str]:
    # the last one is named rather than counted as one other
    shown = names if len(names) <= _NAMED + 1 else names[:_NAMED]
    yield from (f"`{name}`" for name in shown)
    if len(shown) < len(names):
        yield f"and {len(names) - len(shown)} others"

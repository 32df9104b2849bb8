"""swept: findings of a file and of every point of its sweeps; those of the file are said once."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from qflow.compile.many import Compiled, collected, compiled
from qflow.diagnostics import Diagnostic, QflowError, sort
from qflow.lang.sources import DISK, Sources
from qflow.lint.allowing import about_comments
from qflow.lint.findings import Findings, findings, judged
from qflow.records import dataclass


@dataclass(frozen=True)
class Swept:
    findings: Findings
    points: int
    """How many were compiled."""


def swept(
    path: Path,
    wanted: tuple[str, ...] | None,
    settings: Mapping[str, str],
    locked: bool = False,
    sources: Sources = DISK,
) -> Swept:
    """As `findings`, with those of the points of sweeps by name, None: of all the file has.

    A sweep that is wrong itself is a finding. Raises QflowError as `findings`.
    """
    own = findings(path, settings, locked, sources)
    program = None if own.front is None else own.front.program
    if program is None:
        return Swept(own, 0)
    names = tuple(dict.fromkeys(s.name for s in program.sweeps)) if wanted is None else wanted
    wrong: list[Diagnostic] = []
    points: dict[str, Compiled] = {}
    for name in names:
        try:
            found = compiled(path, name, {}, settings, locked, sources)
        except QflowError as error:
            wrong += error.diagnostics
            continue
        points.update((_shown(name, p, names), p) for p in found)
    about = {n: judged(p.front, path, dict(p.point.settings), sources) for n, p in points.items()}
    return Swept(_joined(own, about, wrong, path), len(points))


def _shown(sweep: str, found: Compiled, sweeps: tuple[str, ...]) -> str:
    return found.point.name if len(sweeps) == 1 else f"{sweep} {found.point.name}"


def _joined(
    own: Findings, points: Mapping[str, Findings], wrong: Iterable[Diagnostic], path: Path
) -> Findings:
    known = {*own.diagnostics, *own.allowed, *wrong}
    more = collected({n: [d for d in f.diagnostics if d not in known] for n, f in points.items()})
    allowed = collected({n: [d for d in f.allowed if d not in known] for n, f in points.items()})
    texts = {**{k: t for f in points.values() for k, t in f.sources.items()}, **own.sources}
    every = [d for f in (own, *points.values()) for d in (*f.diagnostics, *f.allowed)]
    # an allow may be there for one of the points
    said = about_comments(every, texts, path.as_posix(), complete=True)
    idle = {d for d in said if d.code == "QF190"}
    kept = (d for d in own.diagnostics if d.code != "QF190" or d in idle)
    return replace(
        own,
        diagnostics=sort((*kept, *wrong, *more)),
        allowed=sort((*own.allowed, *allowed)),
        sources=texts,
    )

"""patches: each best point of a sweep as a patch of the file, which then compiles to its plan."""

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from qflow.compile.front import Front, front
from qflow.diagnostics import Diagnostic, Edit, QflowError, has_errors
from qflow.diagnostics.edits import apply
from qflow.lang.format import format_text
from qflow.lang.source import read_bytes
from qflow.lang.sources import DISK, Overlay
from qflow.plan.lock import lock_path
from qflow.records import dataclass
from qflow.sweep.outcome import Outcome
from qflow.sweep.results.defaults import edits
from qflow.sweep.results.relocked import relocked
from qflow.sweep.results.unified import unified

SUFFIX = ".patch"
_STRANGE = re.compile(r"[^A-Za-z0-9._=,+-]")


@dataclass(frozen=True)
class Patch:
    point: str
    text: str
    """Empty where the file is the point already."""
    stale: bool = False
    """Whether the lock no longer fits once it is applied."""

    @property
    def name(self) -> str:
        """Of its file."""
        return _STRANGE.sub("_", self.point) + SUFFIX


def patches(
    program: Path, best: Sequence[Outcome], settings: Mapping[str, str]
) -> Iterator[Patch | Diagnostic]:
    """Of each point its patch, or QF329 with why there is none.

    `settings` are those of all points: with the patch they need not be given. Paths in a patch
    are relative to the folder of the file. Comments stay, and a file in canonical form stays so.
    """
    if not best:
        return
    if not best:
        return
    try:
        found = front(program, {})
    except QflowError as error:
        found = None
        reason = error.diagnostics[0].message
    for outcome in best:
        values = {**settings, **dict(outcome.values)}
        if found is None:
            yield _none(outcome.name, program, values, reason)
            continue
        try:
            yield _patch(program, outcome.name, values, found)
        except QflowError as error:
            yield _none(outcome.name, program, values, error.diagnostics[0].message)


def _patch(
    program: Path, point: str, values: Mapping[str, str], found: Front
) -> Patch | Diagnostic:
    """What is written is tried: a patch that gave another plan would be worse than none."""
    if found.program is None:
        return _none(point, program, values, "the file cannot be read any more")
    known = {p.name for p in found.program.params}
    if strangers := [name for name in values if name not in known]:
        return _none(point, program, values, f"`{strangers[0]}` is no param of the file")
    wanted_edits = sorted(edits(found.program, values), key=lambda e: e.span)
    texts: dict[str, str] = {}
    parts: list[str] = []
    for path, group in groupby(wanted_edits, key=lambda e: e.span.path):
        name = posixpath.relpath(path, program.parent.as_posix())
        if name.startswith("../"):
            return _none(point, program, values, f"`{name}` lies outside of the folder of the file")
        before = read_bytes(Path(path), path).decode("utf-8")
        texts[name] = _edited(before, list(group), path)
        parts.append(unified(before, texts[name], name))
    if not parts:
        return Patch(point, "")
    if lock := relocked(program, texts):
        name = lock_path(program).name
        texts[name] = lock[1]
        parts.append(unified(*lock, name))
    wanted = front(program, values)
    changed = Overlay(DISK, {program.parent / name: text for name, text in texts.items()})
    given = front(program, {}, sources=changed)
    if _is_another(given, wanted, values):
        return _none(
            point, program, values, "with its values as defaults the file has another plan"
        )
    stale = bool(_complaints(given) - _complaints(found))
    return Patch(point, _head(point, program, stale) + "".join(parts), stale)


def _is_another(given: Front, wanted: Front, values: Mapping[str, str]) -> bool:
    """Whether the patched file, given nothing, is not what the file is, given the values."""
    if given.plan is not None and wanted.plan is not None:
        return given.plan.hashes != wanted.plan.hashes
    if wanted.lock is not None or given.program is None or has_errors(given.diagnostics):
        return True
    # without a lock neither has a plan: then every default must be the value
    return any(edits(given.program, values))


def _edited(before: str, changes: Sequence[Edit], path: str) -> str:
    """With the edits; in canonical form where it was before."""
    after = apply(before, changes)
    return _canonical(after, path) if _canonical(before, path) == before else after


def _canonical(text: str, path: str) -> str:
    """What `qflow fmt` would write; line ends are those of the first line."""
    end = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    return format_text(text, path).replace("\n", end)


def _complaints(found: Front) -> set[str]:
    """What is said of the lock."""
    return {d.message for d in found.diagnostics if d.code in ("QF301", "QF303")}


def _head(point: str, program: Path, stale: bool) -> str:
    """Lines that what applies a patch passes over."""
    name = _STRANGE.sub("_", program.name)
    lock = f"; then run: qflow lock {name}" if stale else ""
    return (
        f"{_STRANGE.sub('_', point)} of {name}, by qflow\n"
        f"In its folder: git apply PATCH, or patch -p1 < PATCH{lock}\n\n"
    )


def _none(point: str, program: Path, values: Mapping[str, str], reason: str) -> Diagnostic:
    return Diagnostic(
        "QF329",
        f"there is no patch for the point `{point}`: {reason}",
        help=f"run it as it is: `qflow run {program.as_posix()} {_set(values)}`",
        severity="note",
        about=point,
    )


def _set(values: Mapping[str, str]) -> str:
    return " ".join(f"--set {shlex.quote(f'{name}={value}')}" for name, value in values.items())

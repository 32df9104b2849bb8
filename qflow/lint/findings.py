"""findings: all that can be said of one file: the compiler, every rule, what comments allow.

`check`, editors and CI ask this and nothing else, so they say the same.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from qflow.compile.front import Front, front
from qflow.diagnostics import Diagnostic, Span, sort
from qflow.diagnostics.causes import once
from qflow.diagnostics.meant import spelled
from qflow.lang.sources import DISK, Sources
from qflow.lint import _files as files
from qflow.lint import run
from qflow.lint.allowing import about_comments, marked
from qflow.records import dataclass


@dataclass(frozen=True)
class Findings:
    front: Front | None
    """None for a Python file."""
    diagnostics: tuple[Diagnostic, ...]
    """To be shown, sorted."""
    allowed: tuple[Diagnostic, ...]
    """What a comment allows, with its reason: machine formats list them, people do not see them."""
    sources: Mapping[str, str]
    """Text by path, for excerpts."""


def findings(
    path: Path, settings: Mapping[str, str], locked: bool = False, sources: Sources = DISK
) -> Findings:
    """Everything that is wrong with a `.qf` file and the source of its model, or a Python file.

    `locked`: the lock must be there and fit. Raises QflowError when the file cannot be read: QF302,
    QF107, and QF105 for a Python file that is none.
    """
    if path.suffix == ".py":
        said, texts = files.script(path, sources)
        return _findings(None, path, said, texts, complete=True)
    return judged(front(path, settings, locked, sources), path, settings, sources)


def judged(
    found: Front, path: Path, settings: Mapping[str, str], sources: Sources = DISK
) -> Findings:
    """As `findings`, of what is known already: a program may be composed of several files."""
    if found.unit is None:
        return _findings(found, path, found.diagnostics, found.sources, complete=False)
    warnings = tuple(run(found.unit))
    said, texts = files.model_source(path, found.unit, sources)
    every = (*found.diagnostics, *warnings, *said)
    # behind an error some rules saw nothing, and other values of params bring other findings
    complete = found.plan is not None and not settings
    return _findings(found, path, every, {**found.sources, **texts}, complete)


def _findings(
    found: Front | None,
    path: Path,
    every: tuple[Diagnostic, ...],
    texts: Mapping[str, str],
    complete: bool,
) -> Findings:
    own = path.as_posix()
    after = sort(once(marked([_able(d, texts) for d in every], texts, own)))
    shown = tuple(d for d in after if not d.allowed)
    comments = about_comments(after, texts, own, complete)
    allowed = tuple(d for d in after if d.allowed)
    return Findings(found, sort((*shown, *comments)), allowed, texts)


def _able(d: Diagnostic, texts: Mapping[str, str]) -> Diagnostic:
    """Without an edit where the word does not stand: the value of a param stands elsewhere."""
    if not d.about or not d.edits or all(_stands(e.span, d.about, texts) for e in d.edits):
        return d
    return replace(d, edits=())


def _stands(span: Span, word: str, texts: Mapping[str, str]) -> bool:
    rows = texts.get(span.path, "").split("\n")
    row = rows[span.line - 1] if span.line <= len(rows) else ""
    return spelled(row[span.column - 1 : span.end_column - 1], word)

"""analysis: what is known of one version of an open file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from qflow.compile.front import Front
from qflow.diagnostics import Diagnostic, QflowError, Span
from qflow.lang import syntax
from qflow.lang.either import is_yaml, parse_file
from qflow.lang.parse import EDITION, Parsed
from qflow.lang.sources import DISK, Overlay
from qflow.lint.findings import findings
from qflow.lsp.text import Text
from qflow.plan.lock import Lock
from qflow.plan.plan import Plan

_EDITION = re.compile(r"""^["']?qflow["']?[ \t]*:""", re.MULTILINE)
_COMPOSED = re.compile(r"""^["']?defaults["']?[ \t]*:""", re.MULTILINE)


@dataclass(frozen=True)
class Analysis:
    path: Path
    version: int
    text: Text
    partial: syntax.File
    """What parsed of it."""
    parses: bool
    diagnostics: tuple[Diagnostic, ...]
    read: Mapping[str, str]
    """Every text that was read for it, by path."""
    lock: Lock | None
    planned: "Planned | None"
    """The last version that had a plan: while one types there is none."""
    buffers: Mapping[Path, str]
    """What else is open, by path."""

    @cached_property
    def sources(self) -> Overlay:
        return Overlay(DISK, self.buffers)


@dataclass(frozen=True)
class Planned:
    plan: Plan
    text: str
    version: int


def is_program(text: str, path: str) -> bool:
    """Whether a file is one to read: YAML is where it gives an edition and needs no Hydra.

    An editor may show the server every YAML file it opens, and about most there is nothing to say.
    """
    if not is_yaml(path):
        return True
    return _EDITION.search(text) is not None and _COMPOSED.search(text) is None


def _parsed(text: str, path: str) -> Parsed:
    if is_program(text, path):
        return parse_file(text, path)
    return Parsed(None, (), syntax.File(EDITION, (), span=Span(path, 1, 1, 1, 1)))


def reread(before: Analysis, version: int, text: Text) -> Analysis:
    """A version of which only the text is known yet, beside what was known of the one before."""
    parsed = _parsed(text.normal, before.path.as_posix())
    return replace(
        before,
        version=version,
        text=text,
        partial=parsed.partial,
        parses=parsed.file is not None,
        diagnostics=parsed.diagnostics,
    )


def analyse(
    path: Path,
    version: int,
    text: Text,
    buffers: Mapping[Path, str],
    before: Analysis | None,
) -> Analysis:
    """Everything that can be said of a version; never raises for what the files say."""
    shown = path.as_posix()
    parsed = _parsed(text.normal, shown)
    known = Analysis(
        path=path,
        version=version,
        text=text,
        partial=parsed.partial,
        parses=parsed.file is not None,
        diagnostics=parsed.diagnostics,
        read={shown: text.normal},
        lock=before.lock if before else None,
        planned=before.planned if before else None,
        buffers=dict(buffers),
    )
    if not is_program(text.normal, shown):
        return replace(known, planned=None)
    try:
        found = findings(path, {}, sources=known.sources)
    except QflowError as error:
        return replace(known, diagnostics=error.diagnostics, read={**known.read, **error.sources})
    known = replace(known, diagnostics=found.diagnostics, read={**known.read, **found.sources})
    return _with_front(known, found.front) if found.front else known


def _with_front(known: Analysis, front: Front) -> Analysis:
    # a text with mistakes has none of its own; the lock on disk is still the last one read
    lock = front.lock if front.lock or known.parses else known.lock
    if front.plan is None:
        return replace(known, lock=lock)
    planned = Planned(front.plan, known.text.normal, known.version)
    return replace(known, lock=lock, planned=planned)

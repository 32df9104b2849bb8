"""Diagnostics: what is wrong, where, and what to do, as data that every renderer can print."""

from collections.abc import Iterable
from dataclasses import field
from typing import Literal

from qflow.records import dataclass

Severity = Literal["error", "warning", "note"]
_ORDER: dict[str, int] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, order=True)
class Span:
    """A range of text as an editor shows it: lines and columns from 1, the end exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Label:
    """A second place that belongs to a diagnostic, with a few words on why."""

    span: Span
    text: str


@dataclass(frozen=True)
class Edit:
    """A range of a file and the text to put in its place; an empty range inserts."""

    span: Span
    text: str


@dataclass(frozen=True)
class Diagnostic:
    """One finding. `code` is an id of `codes.py` and never changes its meaning."""

    code: str
    message: str
    """One sentence, lower case, no full stop: what is wrong."""
    at: Span | None = None
    label: str = ""
    """A few words printed under the marked text."""
    also: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    """Facts that help to understand: the nearest names, the value found."""
    help: str = ""
    """What to do; something that can be pasted where possible."""
    severity: Severity = "error"
    about: str = ""
    """The address or name it is about: what stays when lines move."""
    edits: tuple[Edit, ...] = ()
    """The help as a tool can apply it: all of them together, or none."""
    allowed: str = ""
    """Why the file says that this is right as it is; such a finding is kept, not shown."""


@dataclass(frozen=True)
class ExitCode:
    """Exit codes of every verb."""

    yes: int = 0
    no: int = 1
    cannot: int = 2
    failed: int = 3
    bug: int = 4
    interrupted: int = 130


EXIT = ExitCode()


@dataclass
class QflowError(Exception):
    """Work that cannot go on, with every diagnostic found so far."""

    diagnostics: tuple[Diagnostic, ...]
    exit_code: int = EXIT.cannot
    sources: dict[str, str] = field(default_factory=dict)
    """Text by path, for excerpts in files that are not on disk."""

    def __str__(self) -> str:
        """What a traceback shows: all of each finding but the excerpt."""
        return "\n".join(map(_told, self.diagnostics))


def _told(d: Diagnostic) -> str:
    place = f" ({d.at})" if d.at is not None else ""
    more = [*d.notes, *([f"help: {d.help}"] if d.help else [])]
    return "\n".join((f"{d.code}: {d.message}{place}", *(f"  = {line}" for line in more)))


def fail(diagnostic: Diagnostic, exit_code: int = EXIT.cannot) -> QflowError:
    """An error made of a single diagnostic; write `raise fail(Diagnostic(...))`."""
    return QflowError((diagnostic,), exit_code)


def sort(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By place, then severity, then code; the same finding at the same place is kept once."""
    nowhere = Span("", 0, 0, 0, 0)
    unique = dict.fromkeys(diagnostics)
    return tuple(
        sorted(unique, key=lambda d: (d.at or nowhere, _ORDER[d.severity], d.code, d.message))
    )


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(d.severity == "error" for d in diagnostics)

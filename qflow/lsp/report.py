"""report: findings as an editor shows them, and their help as changes it can make."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lsprotocol import types

from qflow.diagnostics import Diagnostic, Edit, QflowError, Span
from qflow.lsp.analysis import Analysis
from qflow.lsp.text import Text

_SEVERITY = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}
Uri = Callable[[str], str]
"""From a path in spans to what the client calls the file."""


def reports(known: Analysis, uri: Uri) -> Mapping[str, list[types.Diagnostic]]:
    """By path: the file's own findings, and those about files it imports."""
    own = known.path.as_posix()
    found: dict[str, list[types.Diagnostic]] = {own: []}
    for diagnostic in known.diagnostics:
        path = diagnostic.at.path if diagnostic.at else own
        found.setdefault(path, []).append(report(diagnostic, known, uri))
    return found


def report(diagnostic: Diagnostic, known: Analysis, uri: Uri) -> types.Diagnostic:
    """One finding; what has no place stands at the start of the file."""
    lines = [diagnostic.message]
    if diagnostic.label:
        lines[0] += f" ({diagnostic.label})"
    lines += [f"= {note}" for note in diagnostic.notes]
    lines += [f"help: {diagnostic.help}"] if diagnostic.help else []
    related = [
        types.DiagnosticRelatedInformation(_location(label.span, known, uri), label.text)
        for label in diagnostic.also
    ]
    return types.Diagnostic(
        range=range_of(diagnostic.at, known) if diagnostic.at else _START,
        message="\n".join(lines),
        severity=_SEVERITY[diagnostic.severity],
        code=diagnostic.code,
        source="qflow",
        related_information=related or None,
    )


_START = types.Range(types.Position(0, 0), types.Position(0, 0))


def text_of(path: str, known: Analysis) -> Text:
    """The text that spans of a path count in; empty for a file that cannot be read."""
    if path == known.path.as_posix():
        return known.text
    text = known.read.get(path)
    if text is None:
        try:
            text = known.sources.text(Path(path))
        except QflowError:
            text = ""
    return Text(text, known.text.encoding)


def range_of(span: Span, known: Analysis) -> types.Range:
    """A span as the client counts it."""
    return text_of(span.path, known).range(span)


def _location(span: Span, known: Analysis, uri: Uri) -> types.Location:
    return types.Location(uri(span.path), range_of(span, known))


def changes(edits: Iterable[Edit], known: Analysis, uri: Uri) -> dict[str, list[types.TextEdit]]:
    """Edits as a client makes them, by what it calls each file."""
    found: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        text_edit = types.TextEdit(range_of(edit.span, known), edit.text)
        found.setdefault(uri(edit.span.path), []).append(text_edit)
    return found


def actions(known: Analysis, first: int, last: int, uri: Uri) -> list[types.CodeAction]:
    """What can be mended in some lines, counted from 1."""
    found = []
    for diagnostic in known.diagnostics:
        at = diagnostic.at
        if not diagnostic.edits or at is None or at.path != known.path.as_posix():
            continue
        if at.line <= last and first <= at.end_line:
            found.append(
                types.CodeAction(
                    title=_title(diagnostic),
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[report(diagnostic, known, uri)],
                    is_preferred=True,
                    edit=types.WorkspaceEdit(changes=changes(diagnostic.edits, known, uri)),
                )
            )
    return found


def _title(diagnostic: Diagnostic) -> str:
    """The help, or what is written where."""
    if diagnostic.help:
        return f"{diagnostic.code}: {diagnostic.help}"
    text = diagnostic.edits[0].text.strip()
    return f"{diagnostic.code}: write `{text}`" if text else f"{diagnostic.code}: delete this"

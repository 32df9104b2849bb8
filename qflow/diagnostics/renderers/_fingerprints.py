"""What stays of a finding when lines above it move: who tracks findings over commits needs it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

from qflow.diagnostics import Diagnostic, Span


def fingerprints(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str]) -> list[str]:
    """One per finding, `HASH:N`, N for the n-th with that hash in its file.

    Made of the id and of what it is about; where that is not said, of its sentence and the marked
    text. No line number is in it, nor how much space stands around the text.
    """
    rows = {path: text.split("\n") for path, text in sources.items()}
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for d in diagnostics:
        about = (d.about,) if d.about else (d.message, _marked(d.at, rows))
        text = "\0".join((d.code, *about))
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        place = (d.at.path if d.at else "", digest)
        seen[place] += 1
        found.append(f"{digest}:{seen[place]}")
    return found


def _marked(span: Span | None, rows: Mapping[str, list[str]]) -> str:
    if span is None:
        return ""
    lines = rows.get(span.path, [])
    if not 1 <= span.line <= len(lines):
        return ""
    line = lines[span.line - 1]
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    return " ".join(line[span.column - 1 : end].split())

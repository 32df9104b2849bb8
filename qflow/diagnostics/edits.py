"""Edits: which of those that findings bring fit together, and the text after them."""

import re
from collections.abc import Iterable, Sequence

from qflow.diagnostics import Diagnostic, Edit, Span

_LINE_END = re.compile(r"\r\n|\r|\n")


def together(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Those whose edits touch no other's before them: these can be made at once.

    The same edit may come with several findings.
    """
    taken: dict[str, list[Edit]] = {}
    fitting = []
    for d in diagnostics:
        new = [e for e in d.edits if e not in taken.get(e.span.path, ())]
        if any(_touch(e, other) for e in new for other in taken.get(e.span.path, ())):
            continue
        fitting.append(d)
        for edit in new:
            taken.setdefault(edit.span.path, []).append(edit)
    return tuple(fitting)


def _touch(a: Edit, b: Edit) -> bool:
    """Two that meet touch: it is not clear what of two insertions comes first."""
    return _start(a.span) <= _end(b.span) and _start(b.span) <= _end(a.span)


def _start(span: Span) -> tuple[int, int]:
    return span.line, span.column


def _end(span: Span) -> tuple[int, int]:
    return span.end_line, span.end_column


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that do not touch. Line ends and a byte order mark stay as they are."""
    starts = [int(text.startswith("\ufeff")), *(m.end() for m in _LINE_END.finditer(text))]
    first = _LINE_END.search(text)
    line_end = first.group() if first else "\n"
    pieces: list[str] = []
    at = 0
    for edit in sorted(set(edits), key=lambda e: e.span):
        start = _offset(text, starts, *_start(edit.span))
        end = _offset(text, starts, *_end(edit.span))
        pieces += (text[at:start], edit.text.replace("\n", line_end))
        at = end
    return "".join((*pieces, text[at:]))


def _offset(text: str, starts: Sequence[int], line: int, column: int) -> int:
    """Behind the last line is the end of the text; behind a line's end is its end."""
    if line > len(starts):
        return len(text)
    start = starts[line - 1]
    after = starts[line] if line < len(starts) else len(text)
    length = len(text[start:after].rstrip("\r\n"))
    return start + min(column - 1, length)

"""text: what people read: the sentence, the line with the exact span marked, what to do."""

from collections import Counter
from collections.abc import Iterable, Mapping
from unicodedata import category, combining, east_asian_width

from qflow.diagnostics import Diagnostic, Label, Span
from qflow.diagnostics.renderers._words import SEVERITIES, is_bidi, safe

_TAB_WIDTH = 4
_COLORS = {"error": "1;31", "warning": "1;33", "note": "1;36", "frame": "1;34", "bold": "1"}


class Text:
    """`error[QF201]: ...` with an excerpt, after the form of rustc."""

    def render(
        self,
        diagnostics: Iterable[Diagnostic],
        sources: Mapping[str, str],
        *,
        color: bool = False,
    ) -> str:
        """Findings separated by a blank line, then a count; empty without findings.

        What a comment in the file allows is not shown.
        """
        found = tuple(d for d in diagnostics if not d.allowed)
        if not found:
            return ""
        paint = _Paint(color)
        lines = {path: text.split("\n") for path, text in sources.items()}
        parts = ["\n".join(_one(d, lines, paint)) for d in found]
        return "\n\n".join([*parts, count(found)]) + "\n"


def count(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; severities that did not occur are left out."""
    by_severity = Counter(d.severity for d in diagnostics)
    return ", ".join(
        f"{n} {severity}{'s' if n > 1 else ''}"
        for severity in SEVERITIES
        if (n := by_severity[severity])
    )


WIDEST, LEAD = 240, 60
"""Characters that are shown of a line, and of those before the mark."""
CUT = "…"


class _Paint:
    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, text: str, role: str) -> str:
        return f"\x1b[{_COLORS[role]}m{text}\x1b[0m" if self._color and text else text


def _one(d: Diagnostic, lines: Mapping[str, list[str]], paint: _Paint) -> list[str]:
    head = paint(f"{d.severity}[{d.code}]", d.severity) + paint(f": {safe(d.message)}", "bold")
    places = ([(Label(d.at, d.label), "^", d.severity)] if d.at else []) + [
        (label, "-", "frame") for label in d.also
    ]
    margin = " " * max([len(str(label.span.line)) for label, _, _ in places], default=0)
    out = [head]
    for n, (label, mark, role) in enumerate(places):
        arrow = paint("-->" if n == 0 else ":::", "frame")
        out.append(f"{margin}{arrow} {label.span}" if margin else f"{arrow} {label.span}")
        out += _excerpt(label, mark, role, margin, lines.get(label.span.path), paint)
    bullet = f"{margin} {paint('=', 'frame')} "
    out += [bullet + _hang(note, margin) for note in d.notes]
    if d.help:
        out.append(bullet + _hang(f"help: {d.help}", margin))
    return out


def _hang(text: str, margin: str) -> str:
    """Later lines of a note start where its first line does."""
    return safe(text).replace("\n", "\n" + margin + "   ")


def _excerpt(
    label: Label,
    mark: str,
    role: str,
    margin: str,
    source: list[str] | None,
    paint: _Paint,
) -> list[str]:
    span = label.span
    if source is None or not 1 <= span.line <= len(source):
        # a place without its text still keeps what was to be said about it
        return [f"{margin} {paint('=', 'frame')} {label.text}"] if label.text else []
    line = source[span.line - 1].rstrip("\r")
    line, start, end = _window(line, *_marked(span, line))
    before = _width(line[:start])
    carets = mark * max(1, _width(line[:end]) - before)
    bar = paint("|", "frame")
    number = paint(str(span.line).rjust(len(margin)), "frame")
    text = f" {label.text}" if label.text else ""
    return [
        f"{margin} {bar}",
        f"{number} {bar} {_printable(line)}".rstrip(),
        f"{margin} {bar} {' ' * before}{paint(carets + text, role)}",
    ]


def _marked(span: Span, line: str) -> tuple[int, int]:
    """First and one past the last marked character; only the first line of a span is shown."""
    start = min(span.column - 1, len(line))
    if span.end_line > span.line:
        return start, len(line.rstrip())
    return start, min(max(span.end_column - 1, start), len(line))


def _window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """What is shown of a line that is too long to read, and where the marked text is in it."""
    if len(line) <= WIDEST:
        return line, start, end
    first = max(0, start - LEAD)
    last = min(len(line), first + WIDEST)
    head, tail = CUT * (first > 0), CUT * (last < len(line))
    moved = len(head) - first
    return head + line[first:last] + tail, start + moved, min(end, last) + moved


def _printable(line: str) -> str:
    """The line as shown: tabs as spaces, characters that would move the cursor as `?`."""
    out: list[str] = []
    column = 0
    for character in line:
        shown = _shown(character, column)
        out.append(shown)
        column += _cells(character, column)
    return "".join(out)


def _width(text: str) -> int:
    """Terminal cells the printable form of this text takes."""
    column = 0
    for character in text:
        column += _cells(character, column)
    return column


def _shown(character: str, column: int) -> str:
    if character == "\t":
        return " " * _cells(character, column)
    # surrogates and control characters are not for a terminal; format characters such as
    # bidirectional overrides could make the excerpt lie
    if category(character) in ("Cc", "Cs") or (category(character) == "Cf" and is_bidi(character)):
        return "?"
    return character


def _cells(character: str, column: int) -> int:
    if character == "\t":
        return _TAB_WIDTH - column % _TAB_WIDTH
    if combining(character) or category(character) in ("Mn", "Me"):
        return 0
    if category(character) == "Cf" and not is_bidi(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1

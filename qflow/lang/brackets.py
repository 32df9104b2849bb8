"""Brackets, strings and comments of a text, found without parsing it."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from qflow.diagnostics import Span
from qflow.records import dataclass

_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|"[^\n]*|#[^\n]*|[{}\[\]()]')
_CLOSES = {"}": "{", "]": "[", ")": "("}


@dataclass(frozen=True)
class Mark:
    """A bracket, comment, string or quote without an end, at an offset of the text."""

    offset: int
    text: str

    @property
    def is_open_quote(self) -> bool:
        return self.text[0] == '"' and not re.fullmatch(r'"(?:\\.|[^"\\\n])*"', self.text)


def marks(text: str) -> Iterator[Mark]:
    """Every mark in order. Brackets inside strings and comments are none."""
    for match in _TOKEN.finditer(text):
        yield Mark(match.start(), match.group())


class Nesting:
    """The brackets open at a point of the text; feed it the marks in order."""

    def __init__(self) -> None:
        self.open: list[Mark] = []
        self.deepest: Mark | None = None
        self._deepest = 0

    def feed(self, mark: Mark) -> Mark | None:
        """Returns the bracket that this mark closes, if it is a closing one that fits."""
        if mark.text in _CLOSES.values():
            self.open.append(mark)
            if len(self.open) > self._deepest:
                self.deepest, self._deepest = mark, len(self.open)
            return None
        wanted = _CLOSES.get(mark.text)
        if wanted is None:
            return None
        return self._close(wanted)

    def _close(self, wanted: str) -> Mark | None:
        # a brace ends what was left open inside it; other brackets close only their own kind
        if wanted == "{":
            while self.open and self.open[-1].text != "{":
                self.open.pop()
        if self.open and self.open[-1].text == wanted:
            return self.open.pop()
        return None


class Places:
    """Offsets of a text as lines and columns, both from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column - 1

    def span(self, path: str, start: int, end: int) -> Span:
        return Span(path, *self.place(start), *self.place(end))

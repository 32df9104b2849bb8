"""text: an open file as its client counts it: lines from 0, columns in units of an encoding.

Lines end as in the language, at `\\n`, `\\r\\n` and `\\r` only: whoever splits at U+2028 as well
applies the next change in the wrong line.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from lsprotocol import types

from qflow.diagnostics import Span
from qflow.lang.source import normalize

_LINE_END = re.compile(r"\r\n|\r|\n")
_UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
"""Bytes of a unit of each encoding a client can count in."""


@dataclass(frozen=True)
class Text:
    source: str
    """As the client has it, with its line ends."""
    encoding: str = "utf-16"

    @cached_property
    def normal(self) -> str:
        """As the parser reads it."""
        return normalize(self.source)

    @cached_property
    def _bounds(self) -> list[tuple[int, int]]:
        """Where each line starts and where its text ends."""
        ends = [(match.start(), match.end()) for match in _LINE_END.finditer(self.source)]
        starts = [0, *(end for _, end in ends)]
        return list(zip(starts, [*(start for start, _ in ends), len(self.source)], strict=True))

    def line(self, number: int) -> str:
        """A line by its number from 1, without its end."""
        if not 1 <= number <= len(self._bounds):
            return ""
        start, end = self._bounds[number - 1]
        return self.source[start:end]

    def place(self, position: types.Position) -> tuple[int, int]:
        """Line and column as ours: from 1, in characters; beyond a line or the text is its end."""
        number = min(position.line, len(self._bounds) - 1) + 1
        if position.line >= len(self._bounds):
            return number, len(self.line(number)) + 1
        return number, _characters(self.line(number), position.character, self.encoding) + 1

    def offset(self, position: types.Position) -> int:
        line, column = self.place(position)
        return self._bounds[line - 1][0] + column - 1

    def position(self, line: int, column: int) -> types.Position:
        before = self.line(line)[: column - 1]
        return types.Position(line - 1, _units(before, self.encoding))

    def range(self, span: Span) -> types.Range:
        return types.Range(
            self.position(span.line, span.column), self.position(span.end_line, span.end_column)
        )

    def changed(self, change: types.TextDocumentContentChangeEvent) -> "Text":
        """The text after a change that the client made."""
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            return Text(change.text, self.encoding)
        start, end = self.offset(change.range.start), self.offset(change.range.end)
        return Text(self.source[:start] + change.text + self.source[end:], self.encoding)

    @property
    def whole(self) -> types.Range:
        last = len(self._bounds)
        return types.Range(types.Position(0, 0), self.position(last, len(self.line(last)) + 1))


def _units(text: str, encoding: str) -> int:
    coded = text.encode(f"{encoding}-le" if encoding != "utf-8" else encoding, "surrogatepass")
    return len(coded) // _UNIT[encoding]


def _characters(line: str, units: int, encoding: str) -> int:
    """How many characters of a line the first units are; a character is never cut."""
    if line.isascii():
        return min(units, len(line))
    for count, character in enumerate(line):
        units -= _units(character, encoding)
        if units < 0:
            return count
    return len(line)

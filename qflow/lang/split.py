"""Splitting a text into top-level items, so that one mistake does not hide the next."""

import re

from qflow.lang.brackets import Mark, Nesting, marks
from qflow.records import dataclass

ITEM_WORDS = (
    "use",
    "param",
    "model",
    "target",
    "data",
    "qconfig",
    "sensitivity",
    "export",
    "graph",
    "rules",
    "quantize",
    "schedule",
    "check",
    "sweep",
)
_ITEM_LINE = re.compile(rf"(?:{'|'.join(ITEM_WORDS)})\b")
_MOST_OPEN_BLOCKS = 20
"""Each costs another scan to the end of the text; after so many the rest says nothing new."""


@dataclass(frozen=True)
class Chunk:
    """Whole lines that hold one top-level item, or what was meant to be one."""

    line: int
    """Line number of the first of them, from 1."""
    text: str
    open: tuple[Mark, ...] = ()
    """Brackets never closed, outermost first, at offsets of `text`."""

    @property
    def word(self) -> str:
        """The word the item begins with, or its first character."""
        found = re.match(r"\s*(\w+|\S)", self.text)
        return found.group(1) if found else ""

    @property
    def is_item(self) -> bool:
        return self.word in ITEM_WORDS


def split(text: str) -> tuple[Chunk, ...]:
    """Chunks in order; blank lines and own-line comments between them belong to none."""
    lines = _Lines(text)
    chunks: list[Chunk] = []
    first = open_blocks = 0
    while first < len(lines.texts) and open_blocks < _MOST_OPEN_BLOCKS:
        stripped = lines.texts[first].strip()
        if not stripped or stripped.startswith("#"):
            first += 1
            continue
        end, still_open = _end_of_item(lines, first)
        start_offset = lines.starts[first]
        open_blocks += bool(still_open)
        chunks.append(
            Chunk(
                first + 1,
                "\n".join(lines.texts[first:end]),
                tuple(Mark(mark.offset - start_offset, mark.text) for mark in still_open),
            )
        )
        first = end
    return tuple(chunks)


class _Lines:
    """The lines of a text, where they start, and the marks on each; no mark spans lines."""

    def __init__(self, text: str) -> None:
        self.texts = text.split("\n")
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._marks: dict[int, list[Mark]] = {}
        number = 0
        for mark in marks(text):
            while number + 1 < len(self.starts) and self.starts[number + 1] <= mark.offset:
                number += 1
            self._marks.setdefault(number, []).append(mark)

    def marks(self, number: int) -> list[Mark]:
        return self._marks.get(number, [])


def _end_of_item(lines: _Lines, first: int) -> tuple[int, list[Mark]]:
    """One past the last line of the item, and the brackets it leaves open."""
    nesting = Nesting()
    for number in range(first, len(lines.texts)):
        for mark in lines.marks(number):
            nesting.feed(mark)
        if not nesting.open:
            return number + 1, []
    # never closed: the next line that begins with the word of an item is taken for one
    for number in range(first + 1, len(lines.texts)):
        if _ITEM_LINE.match(lines.texts[number]):
            return number, _open_after(lines, first, number)
    return len(lines.texts), nesting.open


def _open_after(lines: _Lines, first: int, end: int) -> list[Mark]:
    nesting = Nesting()
    for number in range(first, end):
        for mark in lines.marks(number):
            nesting.feed(mark)
    return nesting.open

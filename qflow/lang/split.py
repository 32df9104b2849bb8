"""Splitting a text into top-level items, so that one mistake does not hide the next."""

import re
from dataclasses import dataclass

from qflow.lang.brackets import Mark, Nesting, marks

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
    lines = text.split("\n")
    by_line = _marks_by_line(text)
    chunks: list[Chunk] = []
    first = open_blocks = 0
    while first < len(lines) and open_blocks < _MOST_OPEN_BLOCKS:
        if not lines[first].strip() or lines[first].lstrip().startswith("#"):
            first += 1
            continue
        end, still_open = _end_of_item(lines, by_line, first)
        start_offset = by_line[first][0]
        open_blocks += bool(still_open)
        chunks.append(
            Chunk(
                first + 1,
                "\n".join(lines[first:end]),
                tuple(Mark(mark.offset - start_offset, mark.text) for mark in still_open),
            )
        )
        first = end
    return tuple(chunks)


def _end_of_item(
    lines: list[str], by_line: list[tuple[int, list[Mark]]], first: int
) -> tuple[int, list[Mark]]:
    """One past the last line of the item, and the brackets it leaves open."""
    nesting = Nesting()
    for number in range(first, len(lines)):
        for mark in by_line[number][1]:
            nesting.feed(mark)
        if not nesting.open:
            return number + 1, []
    # never closed: the next line that begins with the word of an item is taken for one
    for number in range(first + 1, len(lines)):
        if _ITEM_LINE.match(lines[number]):
            return number, _open_after(by_line[first:number])
    return len(lines), nesting.open


def _open_after(by_line: list[tuple[int, list[Mark]]]) -> list[Mark]:
    nesting = Nesting()
    for _, line in by_line:
        for mark in line:
            nesting.feed(mark)
    return nesting.open


def _marks_by_line(text: str) -> list[tuple[int, list[Mark]]]:
    """For each line its offset and its marks; no mark spans lines."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    by_line: list[tuple[int, list[Mark]]] = [(start, []) for start in starts]
    number = 0
    for mark in marks(text):
        while number + 1 < len(starts) and starts[number + 1] <= mark.offset:
            number += 1
        by_line[number][1].append(mark)
    return by_line

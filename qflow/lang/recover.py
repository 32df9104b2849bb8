"""Going on after a mistake: which statement holds it, so that it can be left out.

Every bracket of the text is looked at once however many mistakes there are: places are asked for in
order, and the statements of a block are kept once they are known.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import takewhile

from qflow.lang.brackets import Mark, Nesting, marks
from qflow.lang.split import Chunk
from qflow.records import dataclass

_DEPTH_OF_STATEMENTS = {"schedule": 2}
"""How many braces deep the statements of an item stand; 1 unless named here."""
_PIECES = re.compile(r'"(?:\\.|[^"\\\n])*"|"[^\n]*|#[^\n]*|[{}\[\]();\n]')


@dataclass(frozen=True)
class Statement:
    """A statement of a block, from `start` to before `end`; a `;` belongs to it."""

    start: int
    end: int
    depth: int
    """How many braces stand around it."""

    def blanked(self, text: str) -> str:
        """The text with spaces for the statement, so that places stay true."""
        blank = re.sub(r"[^\n]", " ", text[self.start : self.end])
        return text[: self.start] + blank + text[self.end :]


class Blocks:
    """The brackets of an item and the statements in them; ask for places in order only."""

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk
        self._nesting = Nesting()
        self._marks: Iterator[Mark] = marks(chunk.text)
        self._next: Mark | None = next(self._marks, None)
        self._statements: dict[int, list[tuple[int, int]]] = {}

    def open_at(self, offset: int) -> tuple[Mark, ...]:
        """Brackets open right before `offset`, outermost first."""
        while self._next is not None and self._next.offset < offset:
            self._nesting.feed(self._next)
            self._next = next(self._marks, None)
        return tuple(self._nesting.open)

    def statement(self, offset: int) -> Statement | None:
        """The statement around `offset`.

        None when the place is not inside a statement, or the statement has no clear end.
        """
        # statements stand in braces in braces; in a list or an argument there are only values
        braces = list(takewhile(lambda mark: mark.text == "{", self.open_at(offset)))
        if not braces:
            return None
        depth = min(len(braces), _DEPTH_OF_STATEMENTS.get(self._chunk.word, 1))
        brace = braces[depth - 1].offset
        if depth > 1 and self._follows_epochs(brace):
            # a dict where the number of epochs belongs, not the body of the stage
            depth -= 1
            brace = braces[depth - 1].offset
        known = self._statements
        if brace not in known:
            known[brace] = list(_statements(self._chunk.text, brace + 1))
        number = bisect_right(known[brace], offset, key=lambda statement: statement[0]) - 1
        if number < 0 or offset > known[brace][number][1]:
            return None
        return Statement(*known[brace][number], depth)

    def _follows_epochs(self, brace: int) -> bool:
        line = self._chunk.text.rfind("\n", 0, brace) + 1
        return self._chunk.text[line:brace].rstrip().endswith("epochs")


def _statements(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Start and end of each statement of the block that begins at `start`."""
    nesting = Nesting()
    first = start
    for match in _PIECES.finditer(text, start):
        piece = match.group()
        if piece == "}" and not any(mark.text == "{" for mark in nesting.open):
            yield first, match.start()
            return
        if piece in (";", "\n"):
            if not nesting.open:
                yield first, match.end() if piece == ";" else match.start()
                first = match.end()
        else:
            nesting.feed(Mark(match.start(), piece))
    if not nesting.open:
        yield first, len(text)

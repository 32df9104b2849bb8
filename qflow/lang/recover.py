"""Going on after a mistake: blank out the statement that holds it and parse the item again."""

import re

from qflow.lang.brackets import Nesting, marks
from qflow.lang.split import Chunk

_DEPTH_OF_STATEMENTS = {"schedule": 2}
"""How many braces deep the statements of an item stand; 1 unless named here."""


def without_statement(chunk: Chunk, offset: int) -> Chunk | None:
    """The chunk with the statement around `offset` replaced by spaces, so that places stay true.

    None when the mistake is not inside a statement, or the statement has no clear end.
    """
    start = _start_of_block(chunk, offset)
    if start is None:
        return None
    for first, end in _statements(chunk.text, start):
        if first <= offset <= end:
            blank = re.sub(r"[^\n]", " ", chunk.text[first:end])
            text = chunk.text[:first] + blank + chunk.text[end:]
            return None if text == chunk.text else Chunk(chunk.line, text, chunk.open)
    return None


def _start_of_block(chunk: Chunk, offset: int) -> int | None:
    """One past the brace of the block whose statements can be left out one by one."""
    nesting = Nesting()
    for mark in marks(chunk.text):
        if mark.offset >= offset:
            break
        nesting.feed(mark)
    braces = [mark for mark in nesting.open if mark.text == "{"]
    if not braces:
        return None
    depth = min(len(braces), _DEPTH_OF_STATEMENTS.get(chunk.word, 1))
    brace = braces[depth - 1].offset
    if depth > 1 and chunk.text[:brace].rstrip().endswith("epochs"):
        # a dict where the number of epochs belongs, not the body of the stage
        brace = braces[depth - 2].offset
    return brace + 1


def _statements(text: str, start: int) -> list[tuple[int, int]]:
    """Start and end of each statement of the block that begins at `start`; a `;` belongs to it."""
    found: list[tuple[int, int]] = []
    nesting = Nesting()
    first = start
    pieces = re.compile(r'"(?:\\.|[^"\\\n])*"|"[^\n]*|#[^\n]*|[{}\[\]();\n]')
    for match in pieces.finditer(text, start):
        piece = match.group()
        if piece == "}" and not any(mark.text == "{" for mark in nesting.open):
            found.append((first, match.start()))
            return found
        if piece in (";", "\n") and not nesting.open:
            end = match.end() if piece == ";" else match.start()
            found.append((first, end))
            first = match.end()
        for mark in marks(piece):
            nesting.feed(mark)
    if not nesting.open:
        found.append((first, len(text)))
    return found

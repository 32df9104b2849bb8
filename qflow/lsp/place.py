"""place: what a cursor stands in, told from the text before it, however broken the rest is."""

import re
from dataclasses import dataclass

from qflow.lang.attempt import what_may_follow
from qflow.lang.brackets import Nesting, marks
from qflow.lang.expected import keywords
from qflow.lang.split import ITEM_WORDS, split

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*$")
_STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"?')
_STAGE_DEPTH = 2


@dataclass(frozen=True)
class Place:
    item: str
    """The word of the item around it; empty between items."""
    depth: int
    """Braces around it, inside the item."""
    body: str
    """What its block holds: `field`, `rule`, `stage`, `value`, .. as the item says; see `_body`."""
    statement: str
    """The text of the statement before the word that is being written."""
    word: str
    """What of the word stands before the cursor; in a string all that stands in it."""
    in_string: bool
    in_comment: bool
    keywords: tuple[str, ...]
    """Keywords the parser would take here."""
    names: bool
    """Whether it would take a name or a value."""


def place(before: str) -> Place:
    """`before`: the text up to the cursor, with `\\n` line ends."""
    chunks = split(before)
    last = chunks[-1] if chunks else None
    tail = last.text if last and _reaches_end(before, last.line, last.text) else ""
    line = tail.rpartition("\n")[2]
    kinds = [mark for mark in marks(line)]
    in_comment = bool(kinds) and kinds[-1].text.startswith("#")
    in_string = bool(kinds) and kinds[-1].is_open_quote
    if in_string:
        word = kinds[-1].text[1:]
        head = tail[: len(tail) - len(word) - 1]
    else:
        found = _WORD.search(tail)
        word = found.group() if found else ""
        head = tail[: len(tail) - len(word)]
    if not head.strip() or (last and last.word not in ITEM_WORDS):
        top = ("qflow",) if len(chunks) < 2 and before.count("\n") == 0 else ITEM_WORDS
        return Place("", 0, "", "", word, in_string, in_comment, top, False)
    assert last is not None, "only a chunk has a tail"
    accepted = what_may_follow(head)
    nesting = Nesting()
    for mark in marks(head):
        nesting.feed(mark)
    braces = [mark.offset for mark in nesting.open if mark.text == "{"]
    start = max(head.rfind("\n"), head.rfind(";"), *(b for b in (*braces, -1))) + 1
    return Place(
        last.word,
        len(braces),
        _body(last.word, head, braces),
        head[start:].lstrip(),
        word,
        in_string,
        in_comment,
        keywords(accepted),
        "NAME" in accepted,
    )


def _reaches_end(before: str, line: int, text: str) -> bool:
    return line + text.count("\n") == before.count("\n") + 1


def _body(item: str, head: str, braces: list[int]) -> str:
    """What the innermost braces hold."""
    if not braces:
        return ""
    lead = head[: braces[-1]].rstrip()
    if lead.endswith(("=", ":", "[", ",")):
        return "value"
    if item in ("quantize", "rules") and len(braces) > 1:
        return "qconfig"
    if item == "schedule" and len(braces) == _STAGE_DEPTH:
        return "stage"
    return item


def string_at(text: str, line: int, column: int) -> tuple[str, int, int] | None:
    """The string around a place of one line: what it says, and its columns with the quotes."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return None
    for found in _STRING.finditer(lines[line - 1]):
        if found.start() + 1 <= column <= found.end():
            return found[1], found.start() + 1, found.end() + 1
    return None

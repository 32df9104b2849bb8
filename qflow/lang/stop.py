"""stop: where and why parsing of an item stopped, as its mistakes are explained from it."""

import re
from dataclasses import dataclass

from lark import Token

from qflow.diagnostics import Span
from qflow.lang.brackets import Mark, Nesting, Places, marks
from qflow.lang.split import Chunk

NOT_SPACE = re.compile(r"\S+")


@dataclass(frozen=True)
class Stop:
    """Where and why parsing of a chunk stopped."""

    path: str
    chunk: Chunk
    offset: int
    """In the text of the chunk."""
    token: Token | None
    """None for a character that begins no token."""
    accepted: frozenset[str]
    """Names of the terminals that could have stood here."""
    before: tuple[Token, ...]
    """The tokens read so far."""

    @property
    def type(self) -> str:
        return self.token.type if self.token is not None else ""

    @property
    def text(self) -> str:
        """What stands here, as written: the token, or everything up to the next space."""
        if self.type in ("$END", "_NL"):
            return ""
        if self.token is not None:
            return str(self.token)
        found = NOT_SPACE.match(self.chunk.text, self.offset)
        return found.group() if found else ""

    def span(self, start: int, end: int) -> Span:
        shown = Places(self.chunk.text).span(self.path, start, end)
        shift = self.chunk.line - 1
        return Span(
            shown.path,
            shown.line + shift,
            shown.column,
            shown.end_line + shift,
            shown.end_column,
        )

    @property
    def here(self) -> Span:
        """The text that stopped the parser, or the place right after the last token."""
        if not self.text:
            return self.span(self.end_before, self.end_before + 1)
        return self.span(self.offset, self.offset + len(self.text))

    @property
    def end_before(self) -> int:
        """One past the last token that is no line end."""
        ends = [t.end_pos for t in self.before if t.type != "_NL" and t.end_pos is not None]
        return ends[-1] if ends else 0

    @property
    def open(self) -> list[Mark]:
        """Brackets open at this place, outermost first."""
        nesting = Nesting()
        for mark in marks(self.chunk.text):
            if mark.offset >= self.offset:
                break
            nesting.feed(mark)
        return nesting.open

    @property
    def line_start(self) -> int:
        return self.chunk.text.rfind("\n", 0, self.offset) + 1

    @property
    def starts_line(self) -> bool:
        return not self.chunk.text[self.line_start : self.offset].strip()

"""stop: where and why parsing of an item stopped, as its mistakes are explained from it."""

import re

from lark import Token

from qflow.diagnostics import Span
from qflow.lang.brackets import Mark, Places
from qflow.lang.split import Chunk
from qflow.records import dataclass

NOT_SPACE = re.compile(r"\S+")


@dataclass(frozen=True)
class Read:
    """What was read before a place, as far as a mistake there is explained from it."""

    last: Token | None = None
    end: int = 0
    """One past the last token that is no line end."""
    statement: int = 0
    """One past the last line end, `;` or `{`."""

    def then(self, token: Token) -> "Read":
        end = int(token.end_pos or 0)
        return Read(
            token,
            self.end if token.type == "_NL" else end,
            end if token.type in ("_NL", "SEMICOLON", "LBRACE") else self.statement,
        )


@dataclass(frozen=True)
class Stop:
    """Where and why parsing of a chunk stopped."""

    path: str
    chunk: Chunk
    places: Places
    """Those of the text of the chunk."""
    offset: int
    """In the text of the chunk."""
    token: Token | None
    """None for a character that begins no token."""
    accepted: frozenset[str]
    """Names of the terminals that could have stood here."""
    before: Read
    open: tuple[Mark, ...]
    """Brackets open at this place, outermost first."""

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
        shown = self.places.span(self.path, start, end)
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
            return self.span(self.before.end, self.before.end + 1)
        return self.span(self.offset, self.offset + len(self.text))

    @property
    def line_start(self) -> int:
        return self.chunk.text.rfind("\n", 0, self.offset) + 1

    @property
    def starts_line(self) -> bool:
        return not self.chunk.text[self.line_start : self.offset].strip()

"""attempt: the mistakes of an item in one pass over its tokens.

The parser is driven token by token, without building a tree. At a mistake it goes back to where the
statement began and goes on behind that statement, so that every token is read once however many
mistakes there are, and what could have followed is asked only where something is wrong.
"""

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from itertools import takewhile
from typing import Any

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from qflow.diagnostics import Diagnostic
from qflow.lang.brackets import Places, marks
from qflow.lang.grammar import parser
from qflow.lang.mistakes import explain
from qflow.lang.recover import Blocks, Statement
from qflow.lang.split import Chunk
from qflow.lang.stop import Read, Stop
from qflow.records import dataclass

MOST_MISTAKES_PER_ITEM = 20
_OPENING = {"LBRACE": "RBRACE", "LSQB": "RSQB", "LPAR": "RPAR"}
_LINE_ENDS = re.compile(r"[ \t]*(#[^\n]*)?(\n[ \t]*(#[^\n]*)?)*")
_DEEPEST_STATEMENTS = 2
_BETWEEN_STATEMENTS = ("LBRACE", "SEMICOLON", "_NL")


@dataclass(frozen=True)
class Attempt:
    mistakes: tuple[Diagnostic, ...]
    rest: str | None
    """A text that parses, with places as they were: spaces stand for the statements that have
    mistakes. Where it is unclear how the item goes on, it ends; None: nothing of it was read."""
    whole: bool
    """Whether the rest goes on to the end of the item."""


def attempt(chunk: Chunk, path: str) -> Attempt:
    """The mistakes of an item that does not parse, and what of it does."""
    walk = _Walk(chunk, path)
    found: list[Diagnostic] = []
    # whoever forgets the end of a string hides the brackets behind it
    swallowed = bool(chunk.open) and any(mark.is_open_quote for mark in marks(chunk.text))
    while stop := walk.next_mistake():
        found.append(explain(stop))
        unclear = swallowed or (found[-1].code == "QF103" and bool(chunk.open))
        if unclear or len(found) == MOST_MISTAKES_PER_ITEM or not walk.leave_out(stop):
            rest = next(filter(_parses, walk.closings()), None)
            return Attempt(tuple(found), rest, whole=False)
    return Attempt(tuple(found), walk.text, whole=True)


def _parses(text: str) -> bool:
    return _Walk(Chunk(1, text), "").next_mistake() is None


@dataclass(frozen=True)
class _Point:
    """Where parsing can go on: between two statements."""

    states: list[int]
    values: list[object]
    read: Read


class _Walk:
    """A parser on its way through an item."""

    def __init__(self, chunk: Chunk, path: str) -> None:
        self._chunk = chunk
        self._path = path
        self._places = Places(chunk.text)
        self._blocks = Blocks(chunk)
        # Lark's own type says less than is there
        self._parser: Any = parser().parse_interactive(chunk.text, start="item")
        self._state: Any = self._parser.parser_state
        self._state.parse_conf = copy(self._state.parse_conf)
        self._state.parse_conf.callbacks = {}  # no tree: only whether it parses
        self._tokens: Iterator[Token] = self._lex()
        self._read = Read()
        self._open: list[str] = []
        """What closes the brackets open here, outermost first."""
        self._points: dict[int, _Point] = {}
        """The last place between statements, by the number of braces around it."""
        self.text = chunk.text

    def next_mistake(self) -> Stop | None:
        """Go on to the next mistake; None when the rest of the item parses."""
        if stop := self.next_misfit():
            return stop
        end = Token("$END", "")
        return None if self._shift(end) else self._stop(len(self.text), end)

    def next_misfit(self) -> Stop | None:
        """Go on to the next token that does not fit; None at the end of the text."""
        try:
            for token in self._tokens:
                if not self._feed(token):
                    return self._stop(int(token.start_pos or 0), token)
        except UnexpectedToken as error:  # a token of another place: it was not fed yet
            return self._stop(int(error.token.start_pos or 0), error.token)
        except UnexpectedCharacters as error:
            return self._stop(int(error.pos_in_stream or 0), None)
        return None

    def accepted(self) -> frozenset[str]:
        """Names of the terminals that could stand here."""
        return frozenset(self._parser.accepts())

    def closings(self) -> Iterator[str]:
        """What was read up to the last places between statements, with its blocks closed there.

        The first that parses keeps most: a place may turn out to be inside a value.
        """
        if not self._open and "$END" in self.accepted():
            yield self.text[: self._read.end]
        # in a list or an argument there are no statements, and none stand deeper than this
        depth = len(list(takewhile(lambda closing: closing == "RBRACE", self._open)))
        for braces in range(min(depth, _DEEPEST_STATEMENTS), 0, -1):
            if point := self._points.get(braces):
                # a comment may stand at the end of what was read
                yield self.text[: point.read.statement] + "\n" + "}" * braces

    def leave_out(self, stop: Stop) -> bool:
        """Go on behind the statement with a mistake; False when that cannot be told."""
        statement = self._blocks.statement(stop.offset)
        point = self._points.get(statement.depth) if statement else None
        if statement is None or point is None:
            return False
        blanked = statement.blanked(self.text)
        if blanked == self.text:
            return False
        self.text = blanked
        self._open = ["RBRACE"] * statement.depth
        self._return_to(point)
        self._skip_to(self._behind(statement))
        self._points[statement.depth] = self._here()
        return True

    def _behind(self, statement: Statement) -> int:
        """Where the next token may begin: two line ends with nothing between them are one."""
        if self._read.last is None or self._read.last.type != "_NL":
            return statement.end
        found = _LINE_ENDS.match(self.text, statement.end)
        end = found.end() if found else statement.end
        self._read = replace(self._read, statement=end)
        return end

    def _feed(self, token: Token) -> bool:
        if not self._shift(token):
            return False
        self._read = self._read.then(token)
        if token.type in _OPENING:
            self._open.append(_OPENING[token.type])
        elif self._open and token.type == self._open[-1]:
            self._open.pop()
        if token.type in _BETWEEN_STATEMENTS and set(self._open) == {"RBRACE"}:
            self._points[len(self._open)] = self._here()
        return True

    def _shift(self, token: Token) -> bool:
        """Whether the token fits; if not, the state is as it was."""
        before = self._here()
        try:
            self._parser.feed_token(token)
        except UnexpectedToken:
            self._return_to(before)
            return False
        return True

    def _here(self) -> _Point:
        return _Point(self._state.state_stack[:], self._state.value_stack[:], self._read)

    def _return_to(self, point: _Point) -> None:
        self._state.state_stack[:] = point.states
        self._state.value_stack[:] = point.values
        self._read = point.read

    def _skip_to(self, offset: int) -> None:
        counter = self._parser.lexer_thread.state.line_ctr
        counter.char_pos = offset
        counter.line, counter.column = self._places.place(offset)
        counter.line_start_pos = offset - counter.column + 1
        self._tokens = self._lex()

    def _lex(self) -> Iterator[Token]:
        tokens: Iterator[Token] = self._parser.lexer_thread.lex(self._state)
        return tokens

    def _stop(self, offset: int, token: Token | None) -> Stop:
        return Stop(
            self._path,
            replace(self._chunk, text=self.text),
            self._places,
            offset,
            token,
            self.accepted(),
            self._read,
            self._blocks.open_at(offset),
        )


def what_may_follow(text: str) -> frozenset[str]:
    """Names of the terminals the parser would take behind a text that ends inside an item.

    Statements with mistakes are passed over; none where it is unclear what the end stands in.
    """
    walk = _Walk(Chunk(1, text), "")
    for _ in range(MOST_MISTAKES_PER_ITEM):
        stop = walk.next_misfit()
        if stop is None:
            return walk.accepted()
        if not walk.leave_out(stop):
            break
    return frozenset()

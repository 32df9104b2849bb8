"""parse: text to syntax tree, with every mistake of the file found in one go."""

import re
from dataclasses import dataclass, replace
from typing import Any

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from qflow import registry
from qflow.diagnostics import Diagnostic, Span, sort
from qflow.lang import syntax
from qflow.lang.brackets import Nesting, Places, marks
from qflow.lang.build import Build
from qflow.lang.grammar import parser
from qflow.lang.mistakes import END_OF_LINE, explain
from qflow.lang.recover import without_statement
from qflow.lang.source import normalize
from qflow.lang.split import ITEM_WORDS, Chunk, split
from qflow.lang.stop import Stop

EDITION = 1
MOST_CHARACTERS = 2_000_000
DEEPEST = 32
"""Brackets inside brackets; beyond this a text is no program, and recursion would end badly."""
_MOST_MISTAKES_PER_ITEM = 20

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Parsed:
    """`file` is None as soon as there is an error: half a file would only cause more errors."""

    file: syntax.File | None
    diagnostics: tuple[Diagnostic, ...]


def parse(text: str, path: str) -> Parsed:
    """Parse a whole file; never raises for what the text says. `path` is what spans show."""
    text = normalize(text)
    if refused := _refused(text, path):
        return Parsed(None, (refused,))
    chunks = split(text)
    edition, wrong = _edition(chunks, path)
    if wrong and edition is not None:
        # another edition may mean other things by the same words
        return Parsed(None, (wrong,))
    found: list[Diagnostic] = [wrong] if wrong else []
    items: list[syntax.Item] = []
    # a first line that is neither edition nor item was meant to be the edition
    without_first = edition is not None or (bool(chunks) and not chunks[0].is_item)
    for previous, chunk in _with_previous(chunks[1:] if without_first else chunks):
        if chunk.word == "{" and found and found[-1].message.endswith(END_OF_LINE):
            found[-1] = replace(found[-1], help="the `{` belongs on the same line")
            continue
        if not chunk.is_item:
            if previous is None or previous.is_item:
                found.append(_no_item(chunk, previous, found, path))
            continue
        item, mistakes = _parse_item(chunk, path)
        found += mistakes
        if item is not None:
            items.append(item)
    if found:
        return Parsed(None, sort(found))
    places = Places(text)
    file = syntax.File(EDITION, tuple(items), span=places.span(path, 0, len(text)))
    return Parsed(file, ())


def _refused(text: str, path: str) -> Diagnostic | None:
    """What is no text of the language at all."""
    if len(text) > MOST_CHARACTERS:
        return Diagnostic(
            "QF107",
            f"this file has {len(text)} characters; a program has at most {MOST_CHARACTERS}",
            at=Span(path, 1, 1, 1, 1),
        )
    if control := _CONTROL.search(text):
        return Diagnostic(
            "QF107",
            f"the character U+{ord(control.group()):04X} does not belong in a program",
            at=Places(text).span(path, control.start(), control.end()),
            help="save the file as UTF-8 text",
        )
    nesting = Nesting()
    for mark in marks(text):
        nesting.feed(mark)
        if len(nesting.open) > DEEPEST:
            return Diagnostic(
                "QF105",
                f"brackets are nested more than {DEEPEST} deep",
                at=Places(text).span(path, mark.offset, mark.offset + 1),
            )
    return None


def _edition(chunks: tuple[Chunk, ...], path: str) -> tuple[int | None, Diagnostic | None]:
    """The edition of the first line, and what is wrong with it."""
    help_ = f"write `qflow {EDITION}` before everything else"
    if not chunks or chunks[0].word != "qflow":
        line = chunks[0].line if chunks else 1
        first = chunks[0].word if chunks else ""
        column = chunks[0].text.index(first) + 1 if chunks else 1
        return None, Diagnostic(
            "QF106",
            "the file does not say which edition of the language it is written in",
            at=Span(path, line, column, line, column + max(1, len(first))),
            help=help_,
        )
    chunk = chunks[0]
    edition = _edition_number(chunk, path)
    start = chunk.text.index("qflow")
    end = len(chunk.text.split("#")[0].rstrip())
    at = Span(path, chunk.line, start + 1, chunk.line, end + 1)
    if edition is None:
        return 0, Diagnostic("QF106", "this line names no edition", at=at, help=help_)
    if edition != EDITION:
        return edition, Diagnostic(
            "QF106",
            f"this version of qflow does not know edition {edition}",
            at=at,
            help=f"it knows edition {EDITION}",
        )
    return edition, None


def _edition_number(chunk: Chunk, path: str) -> int | None:
    build = Build(path, chunk.line)
    try:
        number: int = build.transform(parser().parse(chunk.text, start="edition"))
    except UnexpectedInput:
        return None
    return None if build.diagnostics else number


def _with_previous(chunks: tuple[Chunk, ...]) -> list[tuple[Chunk | None, Chunk]]:
    return list(zip((None, *chunks), chunks, strict=False))


def _no_item(
    chunk: Chunk, previous: Chunk | None, found: list[Diagnostic], path: str
) -> Diagnostic:
    """A line outside of all blocks that begins no item; those that follow have the same cause."""
    word = chunk.word
    column = chunk.text.index(word) + 1
    at = Span(path, chunk.line, column, chunk.line, column + len(word))
    if word in ("}", "]", ")"):
        return Diagnostic("QF105", f"this `{word}` closes nothing", at=at)
    if word == "qflow":
        return Diagnostic("QF106", "the edition stands once, at the top", at=at)
    near = registry.nearest(word, ITEM_WORDS)
    return Diagnostic(
        "QF105",
        f"`{word}` begins no item of a file",
        at=at,
        notes=() if near else (f"items are {', '.join(f'`{w}`' for w in ITEM_WORDS)}",),
        help=f"did you mean `{near[0]}`?" if near else "",
    )


def _parse_item(chunk: Chunk, path: str) -> tuple[syntax.Item | None, list[Diagnostic]]:
    """The item, or every mistake in it: after each the rest is parsed without that statement."""
    found: list[Diagnostic] = []
    rest: Chunk | None = chunk
    while rest is not None and len(found) < _MOST_MISTAKES_PER_ITEM:
        try:
            tree = parser().parse(rest.text, start="item")
        except UnexpectedInput:
            stop = _where(rest, path)
            found.append(explain(stop))
            rest = _rest(rest, stop, found[-1])
            continue
        build = Build(path, chunk.line)
        item: syntax.Item = build.transform(tree)
        found += build.diagnostics
        return item if not found else None, found
    return None, found


def _rest(chunk: Chunk, stop: Stop, found: Diagnostic) -> Chunk | None:
    """What can still be judged: nothing once it is unclear where blocks end."""
    swallowed = chunk.open and any(mark.is_open_quote for mark in marks(chunk.text))
    if (found.code == "QF103" and chunk.open) or swallowed:
        return None
    return without_statement(chunk, stop.offset)


def _where(chunk: Chunk, path: str) -> Stop:
    """Parse again, token by token, to see what was read and what could have followed."""
    interactive: Any = parser().parse_interactive(chunk.text, start="item")
    read: list[Token] = []
    token: Token | None = None
    offset = len(chunk.text)
    accepted = frozenset(interactive.accepts())
    try:
        for token in interactive.lexer_thread.lex(interactive.parser_state):
            interactive.feed_token(token)
            read.append(token)
            accepted = frozenset(interactive.accepts())
        interactive.feed_eof(read[-1] if read else None)
    except UnexpectedToken as error:
        token = error.token
        offset = _offset(error.token, offset)
    except UnexpectedCharacters as error:
        token = None
        offset = int(error.pos_in_stream or 0)
    return Stop(path, chunk, offset, token, accepted, tuple(read))


def _offset(token: Token, end_of_text: int) -> int:
    at_end = token.type == "$END" or token.start_pos is None
    return end_of_text if at_end else int(token.start_pos or 0)

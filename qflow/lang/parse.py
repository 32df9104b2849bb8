"""parse: text to syntax tree, with every mistake of the file found in one go."""

import re
from collections.abc import Iterator
from dataclasses import replace

from lark.exceptions import UnexpectedInput

from qflow import registry
from qflow.diagnostics import Diagnostic, Edit, Span, sort
from qflow.diagnostics.meant import respelled
from qflow.lang import syntax
from qflow.lang.attempt import attempt
from qflow.lang.brackets import Nesting, Places, marks
from qflow.lang.build import Build
from qflow.lang.grammar import parser
from qflow.lang.mistakes import END_OF_LINE
from qflow.lang.source import normalize
from qflow.lang.split import ITEM_WORDS, Chunk, split
from qflow.records import dataclass

EDITION = 1
MOST_CHARACTERS = 2_000_000
DEEPEST = 32
"""Brackets inside brackets; beyond this a text is no program, and recursion would end badly."""
MOST_MISTAKES = 200
"""Who has more than these in a file has another problem; what follows is not read."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Parsed:
    file: syntax.File | None
    """None as soon as there is an error: to who compiles, half a file only causes more errors."""
    diagnostics: tuple[Diagnostic, ...]
    partial: syntax.File
    """What parsed, for editors: the items, without the statements that have mistakes."""


def parse(text: str, path: str) -> Parsed:
    """Parse a whole file; never raises for what the text says. `path` is what spans show."""
    text = normalize(text)
    items, found = _read(text, path)
    places = Places(text)
    file = syntax.File(EDITION, tuple(items), span=places.span(path, 0, len(text)))
    return Parsed(None if found else file, sort(found), file)


def _read(text: str, path: str) -> tuple[list[syntax.Item], list[Diagnostic]]:
    """Every item that parses and every mistake."""
    if refused := _refused(text, path):
        return [], [refused]
    chunks = split(text)
    edition, wrong = _edition(chunks, path)
    if wrong and edition is not None:
        # another edition may mean other things by the same words
        return [], [wrong]
    found: list[Diagnostic] = [wrong] if wrong else []
    items: list[syntax.Item] = []
    # a first line that is neither edition nor item was meant to be the edition
    without_first = edition is not None or (bool(chunks) and not chunks[0].is_item)
    for previous, chunk in _with_previous(chunks[1:] if without_first else chunks):
        if len(found) >= MOST_MISTAKES:
            found.append(_too_many(chunk, path))
            break
        if chunk.word == "{" and found and found[-1].message.endswith(END_OF_LINE):
            found[-1] = replace(found[-1], help="the `{` belongs on the same line")
            continue
        if not chunk.is_item:
            if previous is None or previous.is_item:
                found.append(_no_item(chunk, path))
            continue
        item, mistakes = _parse_item(chunk, path)
        found += mistakes
        if item is not None:
            items.append(item)
    return items, found


def _too_many(chunk: Chunk, path: str) -> Diagnostic:
    return Diagnostic(
        "QF105",
        f"more than {MOST_MISTAKES} mistakes; nothing was read from here on",
        at=Span(path, chunk.line, 1, chunk.line, 1),
    )


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
            edits=(Edit(Span(path, line, 1, line, 1), f"qflow {EDITION}\n\n"),),
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


def _with_previous(chunks: tuple[Chunk, ...]) -> Iterator[tuple[Chunk | None, Chunk]]:
    return zip((None, *chunks), chunks, strict=False)


def _no_item(chunk: Chunk, path: str) -> Diagnostic:
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
        edits=respelled(at, word, ITEM_WORDS),
    )


def _parse_item(chunk: Chunk, path: str) -> tuple[syntax.Item | None, tuple[Diagnostic, ...]]:
    """The item without the statements that have mistakes, and every mistake in it."""
    try:
        return _built(chunk.text, chunk, path)
    except UnexpectedInput:
        tried = attempt(chunk, path)
    if tried.rest is None:
        return None, tried.mistakes
    item, more = _built(tried.rest, chunk, path)
    if tried.whole:
        return item, (*tried.mistakes, *more)
    return None if more else item, tried.mistakes


def _built(text: str, chunk: Chunk, path: str) -> tuple[syntax.Item, tuple[Diagnostic, ...]]:
    """Raises UnexpectedInput when the text is no item."""
    build = Build(path, chunk.line)
    item: syntax.Item = build.transform(parser().parse(text, start="item"))
    return item, tuple(build.diagnostics)

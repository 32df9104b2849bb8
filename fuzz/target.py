"""target: what must hold for any bytes at all; whatever is raised is a mistake of ours."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic, QflowError
from qflow.diagnostics.renderers.json import Json
from qflow.diagnostics.renderers.text import Text
from qflow.lang import syntax
from qflow.lang.comments import Source
from qflow.lang.format import format_text
from qflow.lang.parse import MOST_MISTAKES, Parsed, parse
from qflow.lang.printer import show
from qflow.lang.source import decode
from qflow.lsp.names import mentions
from qflow.lsp.place import place

PATH = "f.qf"


def one(data: bytes) -> frozenset[str]:
    """Read some bytes in every way there is; gives marks of what happened, to tell texts apart."""
    try:
        text = decode(data, PATH)
    except QflowError as error:
        return frozenset(d.code for d in error.diagnostics)
    parsed = parse(text, PATH)
    assert (parsed.file is None) == bool(parsed.diagnostics)
    assert len(parsed.diagnostics) <= MOST_MISTAKES + 21
    _places(text, parsed)
    _shown(text, parsed.diagnostics)
    _kept(parsed)
    _edited(text)
    if parsed.file is not None:
        _formatted(text, parsed.file)
    return frozenset(_marks(parsed))


def _places(text: str, parsed: Parsed) -> None:
    """Every place lies in the text, and every finding has one."""
    lines = text.split("\n")
    for diagnostic in parsed.diagnostics:
        at = diagnostic.at
        assert at is not None, diagnostic
        for span in (at, *(label.span for label in diagnostic.also)):
            assert 1 <= span.line <= len(lines), diagnostic
            assert 1 <= span.column <= len(lines[span.line - 1]) + 1, diagnostic
            assert (span.end_line, span.end_column) >= (span.line, span.column), diagnostic
    for mention in mentions(parsed.partial):
        span = mention.span
        written = lines[span.line - 1][span.column - 1 : span.end_column - 1]
        if span.line == span.end_line and mention.kinds[0] not in ("alias", "output", "export"):
            # a dotted name may have spaces around its dots
            assert "".join(written.split()) == mention.name, mention


def _shown(text: str, diagnostics: tuple[Diagnostic, ...]) -> None:
    shown = Text().render(diagnostics, {PATH: text})
    assert bool(shown) == bool(diagnostics)
    assert Json().render(diagnostics, {PATH: text})


def _kept(parsed: Parsed) -> None:
    """What is kept beside mistakes is a program as any other."""
    again = parse(show(parsed.partial), PATH)
    if not any("too large" in d.message or "escape" in d.message for d in parsed.diagnostics):
        assert again.file == parsed.partial


def _edited(text: str) -> None:
    """A cursor may stand anywhere; a few places are enough."""
    for count in {0, len(text) // 3, len(text) // 2, len(text)}:
        place(text[:count])


def _formatted(text: str, file: syntax.File) -> None:
    once = format_text(text, PATH)  # checks three things itself
    assert parse(once, PATH).file == file
    assert format_text(once, PATH) == once
    assert Source(once).all_comments() == Source(text).all_comments()


def _marks(parsed: Parsed) -> Iterator[str]:
    for diagnostic in parsed.diagnostics:
        yield f"{diagnostic.code} {diagnostic.message.split('`')[0]}"
    for item in parsed.partial.items:
        yield type(item).__name__
        yield repr(type(item).__name__) + str(len(show(item)).bit_length())

"""format: a text in its one canonical form, never at the price of what it says."""

from dataclasses import replace

from qflow.diagnostics import QflowError, Span
from qflow.lang import syntax
from qflow.lang.comments import Source
from qflow.lang.either import is_yaml
from qflow.lang.layout import render
from qflow.lang.parse import parse
from qflow.lang.printer import statements_of
from qflow.lang.source import normalize


class UnsafeFormat(Exception):
    """The formatter would have changed the meaning of a text: a mistake of ours, never written."""


def format_text(text: str, path: str) -> str:
    """The canonical form of a text, with `\\n` line ends; by its suffix, that of YAML.

    Raises QflowError when the text does not parse, UnsafeFormat when one of the three safety
    checks fails: the result says the same, formatting it again changes nothing, no comment is lost.
    """
    if is_yaml(path):
        from qflow.lang.yaml.convert import tidy  # here, because conversion formats

        return tidy(text, path)
    text = normalize(text)
    file = _parsed(text, path)
    result = _formatted(text, file)
    _check(text, file, result, path)
    return result


def _parsed(text: str, path: str) -> syntax.File:
    parsed = parse(text, path)
    if parsed.file is None:
        raise QflowError(parsed.diagnostics, sources={path: text})
    return parsed.file


def _formatted(text: str, file: syntax.File) -> str:
    edition, *items = statements_of(file)
    line = _edition_line(text)
    at = Span(file.span.path, line, 1, line, 1)
    return "\n".join(render((replace(edition, span=at), *items), Source(text))) + "\n"


def _edition_line(text: str) -> int:
    """The first line that is not blank and no comment; a text that parses has one."""
    lines = (line.split("#")[0].strip() for line in text.split("\n"))
    return next(number for number, line in enumerate(lines, 1) if line)


def _check(text: str, file: syntax.File, result: str, path: str) -> None:
    again = parse(result, path)
    if again.file != file:
        raise UnsafeFormat(f"formatting {path} would change what it says")
    if _formatted(result, again.file) != result:
        raise UnsafeFormat(f"formatting {path} twice gives two results")
    if Source(result).all_comments() != Source(text).all_comments():
        raise UnsafeFormat(f"formatting {path} would lose a comment")

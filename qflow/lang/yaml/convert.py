"""convert: a text of one form as a text of the other, comments carried over."""

from collections.abc import Iterator
from dataclasses import replace

from qflow.diagnostics import Diagnostic, QflowError, Span
from qflow.lang import syntax
from qflow.lang.either import is_yaml, parse_file
from qflow.lang.format import format_text
from qflow.lang.parse import parse
from qflow.lang.printer import show
from qflow.lang.program import Program, program_of
from qflow.lang.source import normalize
from qflow.lang.yaml import carry, reader, writer


class UnsafeConversion(Exception):
    """The conversion would have changed the meaning of a text: a mistake of ours."""


def convert(text: str, path: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """A .qf text as YAML, or YAML as .qf, by the suffix of `path`; and what was not carried over.

    Raises QflowError when the text does not parse, or says something twice (QF114).
    """
    text = normalize(text)
    parsed = parse_file(text, path)
    if parsed.file is None:
        raise QflowError(parsed.diagnostics, sources={path: text})
    before = program_of(parsed.file)
    if is_yaml(path):
        result, moved = _to_qf(text, parsed.file)
        return result, tuple(_notes(path, moved, []))
    try:
        plain = writer.show(before)
    except QflowError as error:
        raise QflowError(error.diagnostics, sources={path: text}) from error
    result, moved = _to_yaml(text, before, plain)
    return result, tuple(_notes(path, moved, _out_of_order(parsed.file)))


def tidy(text: str, path: str) -> str:
    """The canonical form of a YAML text: one decision on one line, every comment kept.

    Raises QflowError when the text does not parse, UnsafeConversion when the result would say
    something else or would be another one the second time.
    """
    result = _tidied(normalize(text), path)
    if _tidied(result, path) != result:
        raise UnsafeConversion(f"formatting {path} twice gives two results")
    return result


def _tidied(text: str, path: str) -> str:
    parsed = reader.parse(text, path)
    if parsed.file is None:
        raise QflowError(parsed.diagnostics, sources={path: text})
    before = program_of(parsed.file)
    plain = writer.show(before)
    after = _program(reader.parse(plain, "x.yaml").file, before)
    comments = list(carry.of_yaml(text))
    result = carry.carried(comments, before, after, text, plain).text
    _program(reader.parse(result, "x.yaml").file, before)
    if sorted(c.text for c in carry.of_yaml(result)) != sorted(c.text for c in comments):
        raise UnsafeConversion(f"formatting {path} would lose a comment")
    return result


def _to_yaml(text: str, before: Program, plain: str) -> tuple[str, tuple[carry.Comment, ...]]:
    after = _program(reader.parse(plain, "x.yaml").file, before)
    done = carry.carried(list(carry.of_qf(text)), before, after, text, plain)
    _program(reader.parse(done.text, "x.yaml").file, before)
    return done.text, done.moved


def _to_qf(text: str, file: syntax.File) -> tuple[str, tuple[carry.Comment, ...]]:
    before = program_of(file)
    plain = show(file) + "\n"
    after = _program(parse(plain, "x.qf").file, before)
    done = carry.carried(list(carry.of_yaml(text)), before, after, text, plain)
    result = format_text(done.text, "x.qf")
    _program(parse(result, "x.qf").file, before)
    return result, done.moved


def _program(file: syntax.File | None, same: Program) -> Program:
    """The program of a result, which must say what `same` says."""
    found = program_of(file) if file is not None else None
    if found is None or replace(found, path=same.path, span=same.span) != same:
        raise UnsafeConversion(f"converting {same.path} would change what it says")
    return found


def _out_of_order(file: syntax.File) -> list[syntax.Item]:
    """Items apart from others of their kind, which YAML keeps together."""
    kinds = [_key(item) for item in file.items]
    return [
        item
        for n, item in enumerate(file.items)
        if n and kinds[n] in kinds[:n] and kinds[n - 1] != kinds[n]
    ]


def _key(item: syntax.Item) -> str:
    match item:
        case syntax.Block():
            return item.kind
        case syntax.Param():
            return "params"
        case syntax.RuleSet():
            return "rule_sets"
        case _:
            return type(item).__name__.lower()


def _notes(
    path: str, moved: tuple[carry.Comment, ...], items: list[syntax.Item]
) -> Iterator[Diagnostic]:
    """QF147, each a note: nothing of what the file says is lost."""
    for comment in moved:
        end = comment.column + len(comment.text)
        yield Diagnostic(
            "QF147",
            "this comment stands at another place in the result",
            at=Span(path, comment.line, comment.column, comment.line, end),
            severity="note",
        )
    for item in items:
        at = item.span
        yield Diagnostic(
            "QF147",
            "the result has this block earlier: YAML keeps blocks of a kind together",
            at=Span(at.path, at.line, at.column, at.line, at.column + 1),
            severity="note",
        )

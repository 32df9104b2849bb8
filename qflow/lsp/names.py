"""names: every mention of a name in a syntax tree, with its place and what it can mean."""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass

from qflow.diagnostics import Span
from qflow.lang import syntax

PARAM, QCONFIG, DATA, RULES, SENSITIVITY, EXPORT = (
    "param", "qconfig", "data", "rules", "sensitivity", "export",
)  # fmt: skip
OUTPUT, ALIAS = "output", "alias"
_BY_FIELD = {"base": QCONFIG, "candidate": QCONFIG, "data": DATA, "validate": DATA}
"""Fields whose value names a block; a param may stand there as well."""


@dataclass(frozen=True)
class Mention:
    kinds: tuple[str, ...]
    """What the name can be, in this order: a param is put in first. Of a definition, what it is."""
    name: str
    span: Span
    defines: bool = False


def mentions(file: syntax.File) -> tuple[Mention, ...]:
    """Definitions and uses, in order of place."""
    found = [mention for item in file.items for mention in _node(item)]
    return tuple(sorted(found, key=lambda mention: mention.span))


def definitions(file: syntax.File) -> tuple[Mention, ...]:
    return tuple(m for m in mentions(file) if m.defines)


def params(file: syntax.File) -> tuple[syntax.Param, ...]:
    return tuple(item for item in file.items if isinstance(item, syntax.Param))


def at(file: syntax.File, line: int, column: int) -> Mention | None:
    """The innermost mention at a place; its end counts, where a cursor stands behind a word."""
    place = (line, column)
    found = [
        m
        for m in mentions(file)
        if (m.span.line, m.span.column) <= place <= (m.span.end_line, m.span.end_column)
    ]
    return found[-1] if found else None


def alias_of(use: syntax.Use) -> str:
    """The word before the dot: as written, or the name of the file."""
    return use.alias or use.path.rpartition("/")[2].partition(".")[0]


def _define(kind: str, name: str, span: Span | None) -> Iterator[Mention]:
    if span is not None:
        yield Mention((kind,), name, span, defines=True)


def _use(name: str, span: Span | None, *kinds: str) -> Iterator[Mention]:
    if span is not None:
        yield Mention(kinds, name, span)


def _node(node: object, kind: str = "") -> Iterator[Mention]:
    """Mentions in a node; `kind` is what a bare name names here, besides a param."""
    match node:
        case syntax.Use():
            yield from _define(ALIAS, alias_of(node), node.span)
        case syntax.Param():
            yield from _define(PARAM, node.name, node.name_span)
        case syntax.Block():
            yield from _define(node.kind, node.name, node.name_span)
            yield from _fields(node)
        case syntax.RuleSet():
            yield from _define(RULES, node.name, node.name_span)
            yield from _parts(node)
        case syntax.Sweep():
            # its fields are called like the params they vary; their values are not names
            for field in node.fields:
                yield from _use(field.name, field.name_span, PARAM)
        case syntax.Field():
            yield from _node(node.value, _BY_FIELD.get(node.name, kind))
        case syntax.UseAction():
            yield from _use(node.qconfig, node.qconfig_span, PARAM, QCONFIG)
            yield from _parts(node)
        case syntax.ApplyRule():
            yield from _use(node.rules, node.rules_span, RULES)
        case syntax.Stage():
            yield from _use(node.data, node.data_span, DATA)
            yield from _parts(node)
        case syntax.Assertion():
            yield from _node(node.claim)
            yield from _use(node.data or "", node.data_span, DATA)
        case syntax.IsClaim():
            yield from _subject(node.subject)
            yield from _use(node.dtype, node.dtype_span, PARAM)
        case syntax.CompareClaim():
            yield from _subject(node.subject)
            yield from _node(node.value)
        case syntax.Call():
            yield from _arguments(node)
        case syntax.Name():
            yield from _use(node.value, node.span, PARAM, *((kind,) if kind else ()))
        case _:
            yield from _parts(node)


def _fields(block: syntax.Block) -> Iterator[Mention]:
    for field in block.fields:
        if (
            block.kind == "model"
            and field.name == "output"
            and isinstance(field.value, syntax.Dict)
        ):
            for (name, _), span in zip(field.value.entries, field.value.key_spans, strict=True):
                yield from _define(OUTPUT, name, span)
        yield from _node(field)


def _subject(subject: object) -> Iterator[Mention]:
    """What is measured: `output.cls`, `cosine(output.cls)`, `scale`."""
    if isinstance(subject, syntax.Name):
        yield from _measured(subject)
    else:
        yield from _node(subject)


def _arguments(call: syntax.Call) -> Iterator[Mention]:
    for argument in call.args:
        if isinstance(argument, syntax.Keyword):
            yield from _node(argument.value)
        elif isinstance(argument, syntax.Name) and call.function == "sensitive":
            yield from _use(argument.value, argument.span, SENSITIVITY)
        elif isinstance(argument, syntax.Name):
            yield from _measured(argument)


def _measured(name: syntax.Name) -> Iterator[Mention]:
    for kind in (OUTPUT, EXPORT):
        if name.value.startswith(f"{kind}."):
            yield from _use(name.value.partition(".")[2], name.span, kind)


def _parts(node: object) -> Iterator[Mention]:
    if isinstance(node, syntax.Node):
        for part in dataclasses.fields(node):
            yield from _parts_of(getattr(node, part.name))


def _parts_of(value: object) -> Iterator[Mention]:
    if isinstance(value, syntax.Node):
        yield from _node(value)
    elif isinstance(value, tuple):
        for part in value:
            yield from _parts_of(part)


def dimensions(file: syntax.File, name: str, text: str) -> Iterator[Span]:
    """Where a name stands as the size of a tensor: `float32[n, 3]`."""
    lines = text.split("\n")
    for node in _tensors(file):
        for number in range(node.span.line, node.span.end_line + 1):
            line = lines[number - 1]
            start = node.span.column - 1 if number == node.span.line else 0
            end = node.span.end_column - 1 if number == node.span.end_line else len(line)
            inside = line.find("[", start, end) + 1 if number == node.span.line else start
            for found in re.finditer(rf"\b{re.escape(name)}\b", line[inside:end]):
                column = inside + found.start() + 1
                yield Span(node.span.path, number, column, number, column + len(name))


def _tensors(value: object) -> Iterator[syntax.TensorType]:
    if isinstance(value, syntax.TensorType):
        yield value
    elif isinstance(value, syntax.Node):
        for part in dataclasses.fields(value):
            yield from _tensors(getattr(value, part.name))
    elif isinstance(value, tuple):
        for part in value:
            yield from _tensors(part)

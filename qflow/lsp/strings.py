"""strings: the patterns of selectors, with their places."""

import dataclasses
from collections.abc import Iterator

from qflow.diagnostics import Span
from qflow.lang import syntax


def selected(file: syntax.File, line: int, column: int) -> tuple[str, Span] | None:
    """The pattern at a place, and the text it stands in."""
    place = (line, column)
    for pattern, span in patterns(file):
        if (span.line, span.column) <= place < (span.end_line, span.end_column):
            return pattern, span
    return None


def patterns(node: object) -> Iterator[tuple[str, Span]]:
    """Every pattern by name below a node."""
    if isinstance(node, syntax.ByName):
        yield node.pattern, node.span
    elif isinstance(node, syntax.Call):
        for argument in node.args:
            if isinstance(argument, syntax.String):
                yield argument.value, argument.span
    elif isinstance(node, syntax.Node):
        for part in dataclasses.fields(node):
            yield from patterns(getattr(node, part.name))
    elif isinstance(node, tuple):
        for part in node:
            yield from patterns(part)

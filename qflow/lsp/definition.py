"""definition: where a name is defined, in the file or in one it imports."""

import posixpath
from pathlib import Path

from qflow import resources
from qflow.compile import builtin
from qflow.diagnostics import QflowError, Span
from qflow.lang import syntax
from qflow.lang.either import parse_file
from qflow.lang.sources import Sources
from qflow.lsp.analysis import Analysis
from qflow.lsp.names import ALIAS, QCONFIG, Mention, alias_of, at, definitions


def definition(known: Analysis, line: int, column: int) -> Span | None:
    """The place that defines what stands at a place; None when nothing there has one."""
    mention = at(known.partial, line, column)
    if mention is None:
        return None
    if mention.defines and ALIAS in mention.kinds:
        return _file(known, line, column)
    found = resolve(known.partial, mention, known.sources)
    if found is None and QCONFIG in mention.kinds and mention.name in builtin.names():
        path = resources.folder("conf") / "qconfig" / f"{mention.name}.yaml"
        return Span(path.as_posix(), 1, 1, 1, 1)
    return found.span if found else None


def resolve(file: syntax.File, mention: Mention, sources: Sources) -> Mention | None:
    """The definition of a name: its own file's first, then that of the file it is imported from."""
    if mention.defines:
        return mention
    own = definitions(file)
    for kind in mention.kinds:
        for found in own:
            if kind in found.kinds and found.name == mention.name:
                return found
    scope, dot, rest = mention.name.partition(".")
    if not dot:
        return None
    for use in (item for item in file.items if isinstance(item, syntax.Use)):
        other = imported(use, sources) if alias_of(use) == scope else None
        if other is not None:
            return resolve(other, Mention(mention.kinds, rest, mention.span), sources)
    return None


def imported(use: syntax.Use, sources: Sources) -> syntax.File | None:
    """What parses of the file that is used; None when there is none."""
    path = target(use)
    try:
        return parse_file(sources.text(Path(path), path), path).partial
    except QflowError:
        return None


def target(use: syntax.Use) -> str:
    """The path of the used file, as spans show it."""
    folder = posixpath.dirname(use.span.path)
    return posixpath.normpath(posixpath.join(folder, use.path))


def _file(known: Analysis, line: int, column: int) -> Span | None:
    for use in (item for item in known.partial.items if isinstance(item, syntax.Use)):
        if use.span.line <= line <= use.span.end_line and known.sources.exists(Path(target(use))):
            return Span(target(use), 1, 1, 1, 1)
    return None

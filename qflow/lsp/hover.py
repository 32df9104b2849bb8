"""hover: why an address is quantized as it is, and what a name stands for."""

from collections.abc import Iterator

from qflow.compile import builtin
from qflow.diagnostics import QflowError, Span
from qflow.lang import syntax
from qflow.lang.printer import show
from qflow.lsp.analysis import Analysis, Planned
from qflow.lsp.definition import resolve
from qflow.lsp.names import PARAM, QCONFIG, Mention, at
from qflow.lsp.place import string_at
from qflow.lsp.strings import selected
from qflow.plan.address import matches
from qflow.plan.why import why

MOST = 5
"""Addresses of a glob that are explained; the others are counted."""


def hover(known: Analysis, line: int, column: int) -> tuple[str, Span] | None:
    """Markdown and the text it is about."""
    if found := selected(known.partial, line, column):
        pattern, span = found
        return _why(known, pattern), span
    if written := string_at(known.text.normal, line, column):
        # a rule that is still being written is in no tree
        pattern, start, end = written
        if text := _why(known, pattern):
            return text, Span(known.path.as_posix(), line, start, line, end)
        return None
    mention = at(known.partial, line, column)
    text = _named(known, mention) if mention else ""
    return (text, mention.span) if mention and text else None


def _why(known: Analysis, pattern: str) -> str:
    if known.planned is None:
        return "no version of this file had a plan yet: see its diagnostics"
    return "\n".join(_explained(known, known.planned, pattern))


def _explained(known: Analysis, planned: Planned, pattern: str) -> Iterator[str]:
    found = [m.address for m in planned.plan.modules if matches(pattern, m.address)]
    if not found:
        return
    for address in found[:MOST]:
        try:
            said = why(planned.plan, address, planned.text)
        except QflowError as error:
            said = str(error)
        yield f"```text\n{said.rstrip()}\n```"
    if len(found) > MOST:
        yield f"and {len(found) - MOST} more"
    if planned.version != known.version:
        yield "*as the last version without mistakes had it*"


def _named(known: Analysis, mention: Mention) -> str:
    found = resolve(known.partial, mention, known.sources)
    if found is not None:
        item = _item(known, found)
        return f"```qflow\n{show(item)}\n```" if item else ""
    if QCONFIG in mention.kinds and mention.name in builtin.names():
        fields = "\n".join(f"{name} = {value}" for name, value in _builtin(mention.name))
        return f"built in\n```qflow\n{fields}\n```"
    return ""


def _builtin(name: str) -> list[tuple[str, object]]:
    return sorted(builtin.load(name).items())


def _item(known: Analysis, found: Mention) -> syntax.Item | None:
    """The item of this file that defines a name; of an imported file only its place is known."""
    for item in known.partial.items:
        inside = item.span.line <= found.span.line <= item.span.end_line
        if inside and item.span.path == found.span.path and _is_short(item, found):
            return item
    return None


def _is_short(item: syntax.Item, found: Mention) -> bool:
    """A definition worth repeating: not a whole schedule."""
    return isinstance(item, (syntax.Block, syntax.Use)) or found.kinds == (PARAM,)

"""rename: a param under another name, at every place that means it, or a reason why not."""

import re
from collections.abc import Iterator, Mapping
from os.path import abspath
from pathlib import Path

from qflow.diagnostics import Edit, QflowError, Span
from qflow.lang import syntax
from qflow.lang.either import parse_file
from qflow.lang.sources import Sources
from qflow.lsp.analysis import Analysis
from qflow.lsp.definition import target
from qflow.lsp.names import PARAM, Mention, alias_of, at, dimensions, mentions, params

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORMS = ("qf", "yaml", "yml")
_NEAR = tuple(f"{where}*.{form}" for where in ("", "*/", "../", "../*/") for form in _FORMS)
"""Where programs that import this one are looked for, besides the open ones."""


class Refused(Exception):
    """A rename that would not keep what the file says; the message is for whoever asked."""


def subject(known: Analysis, line: int, column: int) -> Span:
    """The name at a place, when it is that of a param.

    Raises Refused.
    """
    mention = at(known.partial, line, column)
    if mention is None or PARAM not in mention.kinds or not _is_own(known, mention):
        raise Refused("only a param of this file can be renamed")
    if not known.parses:
        raise Refused("the file has mistakes, and uses may hide in them: mend these first")
    return mention.span


def rename(known: Analysis, line: int, column: int, new: str) -> Mapping[str, tuple[Edit, ...]]:
    """Edits by path, for this file and those in its folder that import it.

    Raises Refused.
    """
    subject(known, line, column)
    mention = at(known.partial, line, column)
    assert mention is not None, "`subject` refuses what is no mention"
    old = mention.name
    _refuse_name(known, old, new)
    path = known.path.as_posix()
    edits = {path: _edits(known.partial, old, new, known.text.normal)}
    for other, text in _importing(known):
        file = parse_file(text, other).partial
        for use in (i for i in file.items if isinstance(i, syntax.Use) and target(i) == path):
            scope = alias_of(use)
            found = _edits(file, f"{scope}.{old}", f"{scope}.{new}", text)
            edits[other] = (*edits.get(other, ()), *found)
    _verify(known, edits[path])
    return {path: found for path, found in edits.items() if found}


def _is_own(known: Analysis, mention: Mention) -> bool:
    # a param is put in before any other name is looked up
    return mention.name in {param.name for param in params(known.partial)}


def _refuse_name(known: Analysis, old: str, new: str) -> None:
    if not _NAME.fullmatch(new):
        raise Refused(f"`{new}` is no name: it has the letters `a` to `z`, digits and `_`")
    if new in ("true", "false"):
        raise Refused(f"`{new}` is a value, not a name for a param")
    if new == old:
        raise Refused(f"it is called `{new}` already")
    text = known.text.normal
    taken = [m.span for m in mentions(known.partial) if m.name == new and PARAM in m.kinds]
    taken += dimensions(known.partial, new, text)
    if new in {param.name for param in params(known.partial)}:
        raise Refused(f"there is a param `{new}` already, in line {_line_of(known, new)}")
    if taken:
        line = min(taken).line
        raise Refused(f"line {line} says `{new}`, which would then mean the param")


def _line_of(known: Analysis, name: str) -> int:
    return next(param.span.line for param in params(known.partial) if param.name == name)


def _edits(file: syntax.File, old: str, new: str, text: str) -> tuple[Edit, ...]:
    places = {m.span for m in mentions(file) if m.name == old and PARAM in m.kinds}
    places |= set(dimensions(file, old, text))
    if strange := next((s for s in sorted(places) if not _says(text, s, old)), None):
        raise Refused(f"line {strange.line} says `{old}` in a form that only a person can change")
    return tuple(Edit(span, new) for span in sorted(places))


def _says(text: str, span: Span, name: str) -> bool:
    """Whether a name is all that stands at its place: in YAML it may be part of an escaped text."""
    row = text.split("\n")[span.line - 1]
    return span.line == span.end_line and row[span.column - 1 : span.end_column - 1] == name


def _importing(known: Analysis) -> Iterator[tuple[str, str]]:
    """Path and text of the files that mention this one, open ones as they are being written."""
    folder = known.path.parent
    found = [path for path in known.buffers if path != known.path]
    if folder.is_dir():
        found += sorted(Path(abspath(path)) for near in _NEAR for path in folder.glob(near))
    for path in dict.fromkeys(found):
        text = _text(path, known.sources)
        if path != known.path and known.path.name in text:
            yield path.as_posix(), text


def _text(path: Path, sources: Sources) -> str:
    try:
        return sources.text(path)
    except QflowError:
        return ""


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    """A text with edits that do not overlap."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda e: e.span, reverse=True):
        line = lines[edit.span.line - 1]
        rest = lines[edit.span.end_line - 1][edit.span.end_column - 1 :]
        changed = line[: edit.span.column - 1] + edit.text + rest
        lines[edit.span.line - 1 : edit.span.end_line] = [changed]
    return "\n".join(lines)


def _verify(known: Analysis, edits: tuple[Edit, ...]) -> None:
    """The file must still parse, with as many uses of as many params: nothing was captured."""
    after = parse_file(applied(known.text.normal, edits), known.path.as_posix())
    before = mentions(known.partial)
    if after.file is None or len(mentions(after.file)) != len(before):
        raise Refused("the file would not say the same any more")

"""allows: `# qf: allow QF205 reason`: a comment says that a finding is right as it is.

At the end of a line it is about that line, on a line of its own about the next line that has
more than a comment, and `# qf: allow-file` is about the whole file. It is only about warnings
and notes: an error says that there is no plan, and no comment makes one.
"""

import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import field

from qflow.diagnostics import Span
from qflow.lang.brackets import Places, marks
from qflow.records import dataclass

_COMMENT = re.compile(r"#+\s*qf\s*:\s*(?P<said>.*)")
_ALLOW = re.compile(r"(?P<word>allow(?:-file)?)(?![\w-])\s*(?P<rest>.*)")
_ID = re.compile(r"[A-Za-z]+\d+(?=$|[\s,:])")
_BETWEEN = re.compile(r"\s*,\s*|\s+(?=QF\d)")


@dataclass(frozen=True)
class Named:
    """One id that a comment names."""

    code: str
    span: Span


@dataclass(frozen=True)
class Allow:
    """A comment that begins `# qf:`."""

    span: Span
    """Of the comment."""
    word: str
    """`allow` or `allow-file`; empty for anything else."""
    line: int | None
    """The line it is about; None: the whole file."""
    named: tuple[Named, ...] = ()
    """The ids in the order written; empty for a comment that names none."""
    reason: str = ""


@dataclass(frozen=True)
class Allows:
    """Every `# qf:` comment of one text."""

    comments: tuple[Allow, ...] = ()
    lines: dict[int, tuple[Allow, ...]] = field(default_factory=dict, compare=False)

    def about(self, code: str, line: int | None) -> Iterator[Allow]:
        """Comments with a reason that name this id: of the line, then of the file."""
        nearest = self.lines.get(line, ()) if line is not None else ()
        for allow in (*nearest, *(a for a in self.comments if a.line is None)):
            if allow.reason and any(a.code == code for a in allow.named):
                yield allow


def read(path: str, text: str) -> Allows:
    """The `# qf:` comments of a `.qf`, `.py` or YAML file; of any other file none."""
    find = _FINDERS.get(path.rpartition(".")[2])
    if find is None or not _COMMENT.search(text):
        return Allows()
    places = Places(text)
    rows = text.split("\n")
    found = []
    for offset, comment in find(text):
        if match := _COMMENT.fullmatch(comment.rstrip()):
            found.append(_read(match, offset, places, path, rows))
    lines: dict[int, tuple[Allow, ...]] = {}
    for allow in found:
        if allow.line is not None:
            lines[allow.line] = (*lines.get(allow.line, ()), allow)
    return Allows(tuple(found), lines)


def _read(match: re.Match[str], offset: int, places: Places, path: str, rows: list[str]) -> Allow:
    span = places.span(path, offset, offset + match.end())
    about = _line(rows, span)
    said = _ALLOW.fullmatch(match["said"])
    if said is None:
        return Allow(span, "", about)
    rest, start = said["rest"], offset + match.start("said") + said.start("rest")
    named: list[Named] = []
    at = 0
    while found := _ID.match(rest, at):
        place = places.span(path, start + found.start(), start + found.end())
        named.append(Named(found.group().upper(), place))
        at = found.end()
        if between := _BETWEEN.match(rest, at):
            at = between.end()
        else:
            break
    reason = rest[at:].strip().lstrip(":-,").strip() if named else ""
    line = None if said["word"] == "allow-file" else about
    # a reason is words, not a full stop
    reason = reason if re.search(r"\w\w", reason) else ""
    return Allow(span, said["word"], line, tuple(named), reason)


def removed(allow: Allow, named: Sequence[Named], text: str) -> tuple[Span, str]:
    """What to put where so that these ids are not in a comment any more; without ids, nothing."""
    kept = [n.code for n in allow.named if n not in named]
    if kept:
        return allow.span, f"# qf: {allow.word} {', '.join(kept)} {allow.reason}"
    span = allow.span
    before = text.split("\n")[span.line - 1][: span.column - 1]
    if before.strip():
        start = len(before.rstrip()) + 1
        return Span(span.path, span.line, start, span.end_line, span.end_column), ""
    return Span(span.path, span.line, 1, span.line + 1, 1), ""


def has_comments(path: str) -> bool:
    """Whether files of this kind have comments that `read` finds."""
    return path.rpartition(".")[2] in _FINDERS


def _line(rows: list[str], span: Span) -> int:
    """The line a comment is about: its own, or the next one with more than a comment."""
    if rows[span.line - 1][: span.column - 1].strip():
        return span.line
    for number in range(span.line, len(rows)):
        row = rows[number].strip()
        if row and not row.startswith("#"):
            return number + 1
    return span.line


def _plain(text: str) -> Iterator[tuple[int, str]]:
    for mark in marks(text):
        if mark.text.startswith("#"):
            yield mark.offset, mark.text


def _python(text: str) -> Iterator[tuple[int, str]]:
    places = Places(text)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                yield places.offset(line, column + 1), token.string
    except (tokenize.TokenError, SyntaxError, ValueError):
        # what is wrong with the text is said where it is parsed
        return


_YAML = re.compile(r"(?m)(?:^|(?<=\s))#[^\n]*")


def _yaml(text: str) -> Iterator[tuple[int, str]]:
    # a `#` behind a space inside of quotes is taken for a comment as well: at worst an allow
    # that is not one, and it would have to begin `# qf:`
    for found in _YAML.finditer(text):
        yield found.start(), found.group()


_FINDERS = {"qf": _plain, "py": _python, "yaml": _yaml, "yml": _yaml}

"""carry: comments of one form at their place in the other, found by the nodes around them."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from qflow.diagnostics import Span
from qflow.lang.brackets import Places, marks
from qflow.lang.program import Program
from qflow.lang.yaml.respan import spans
from qflow.records import dataclass


@dataclass(frozen=True)
class Comment:
    line: int
    column: int
    text: str
    own_line: bool


@dataclass(frozen=True)
class Carried:
    text: str
    moved: tuple[Comment, ...]
    """Those that could not stay with what they stood at."""


def of_qf(text: str) -> Iterator[Comment]:
    """Comments of a .qf text, in order."""
    places = Places(text)
    for mark in marks(text):
        if mark.text.startswith("#"):
            yield _comment(text, places, mark.offset, mark.text)


def of_yaml(text: str) -> Iterator[Comment]:
    """Comments of a YAML text that parses: what stands between its tokens."""
    import yaml

    places = Places(text)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    end = 0
    for token in yaml.scan(text, Loader=loader):
        start = token.start_mark.index
        for match in re.finditer(r"#[^\n]*", text[end:start]):
            yield _comment(text, places, end + match.start(), match.group())
        end = max(end, token.end_mark.index)
    for match in re.finditer(r"#[^\n]*", text[end:]):
        yield _comment(text, places, end + match.start(), match.group())


def _comment(text: str, places: Places, offset: int, said: str) -> Comment:
    line, column = places.place(offset)
    before = text[places.offset(line, 1) : offset].strip()
    return Comment(line, column, said.rstrip(), own_line=not before)


def carried(
    comments: list[Comment], before: Program, after: Program, old_text: str, text: str
) -> Carried:
    """`text`, which says `after`, with the comments of `old_text`, which says the same."""
    lines = _lines(before, after)
    lines[_edition(old_text)] = _edition(text)
    starts = sorted(lines)
    above: dict[int, list[str]] = defaultdict(list)
    behind: dict[int, str] = {}
    moved: list[Comment] = []
    rows = text.rstrip("\n").split("\n")
    columns = _columns(old_text)
    for comment in comments:
        if comment.own_line:
            at = bisect_left(starts, comment.line)
            new = lines[starts[at]] if at < len(starts) else len(rows) + 1
            above[new].append(comment.text)
            follows = columns[starts[at]] if at < len(starts) else 1
            if follows < comment.column:
                # it stood at the end of a block, and what follows is no part of that
                moved.append(comment)
            continue
        at = bisect_right(starts, comment.line) - 1
        new = lines[starts[max(at, 0)]]
        if starts[max(at, 0)] != comment.line:
            moved.append(comment)
        if new in behind:
            above[new].append(comment.text)
            moved.append(comment)
        else:
            behind[new] = comment.text
    return Carried(_woven(rows, above, behind), tuple(dict.fromkeys(moved)))


def _lines(before: Program, after: Program) -> dict[int, int]:
    """Where what begins on a line of the one text begins in the other."""
    nowhere = Span("", 0, 0, 0, 0)
    first: Any = replace(before, span=nowhere)
    second: Any = replace(after, span=nowhere)
    found: dict[int, int] = {}
    for old, new in zip(_starts(first), _starts(second), strict=True):
        if old.line and new.line:
            found[old.line] = min(found.get(old.line, new.line), new.line)
    return found


def _starts(program: Program) -> list[Span]:
    return list(spans(program))


def _edition(text: str) -> int:
    rows = enumerate(text.split("\n"), 1)
    return next((n for n, row in rows if re.match(r"\s*[\"']?qflow\b", row)), 1)


def _columns(text: str) -> Mapping[int, int]:
    """The column of the first character of each line, with the dash of a list."""
    return {n: len(r) - len(r.lstrip()) + 1 for n, r in enumerate(text.split("\n"), 1)}


def _woven(rows: list[str], above: Mapping[int, list[str]], behind: Mapping[int, str]) -> str:
    result: list[str] = []
    for number, row in enumerate(rows, 1):
        indent = row[: len(row) - len(row.lstrip())]
        result += [f"{indent}{comment}" for comment in above.get(number, ())]
        result.append(f"{row}  {behind[number]}" if number in behind else row)
    last = above.get(len(rows) + 1, [])
    return "\n".join([*result, *([""] if last else []), *last]) + "\n"

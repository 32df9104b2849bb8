"""Source: the layout a text was written in: its lines, blank lines and comments."""

import re
from collections import defaultdict
from collections.abc import Sequence

from qflow.lang.brackets import Nesting, Places, marks
from qflow.lang.document import Group, Statement
from qflow.lang.rows import Comment

Place = tuple[int, int]
_SPACES = re.compile(r"[ \t]*")


class Source:
    """A layout (see `layout.Layout`) read from a text that parses."""

    def __init__(self, text: str) -> None:
        self._opening: dict[Place, Place] = {}
        """Where the bracket opens that closes right before a place."""
        self._comments: dict[Place | None, list[Comment]] = defaultdict(list)
        """By the opening bracket they stand directly in."""
        self._read(text)

    def _read(self, text: str) -> None:
        places = Places(text)
        lines = text.split("\n")
        nesting = Nesting()
        for mark in marks(text):
            line, column = places.place(mark.offset)
            if mark.text.startswith("#"):
                inner = nesting.open[-1] if nesting.open else None
                before = lines[line - 1][: column - 1].strip()
                behind = _SPACES.match(text, inner.offset + 1) if inner else None
                comment = Comment(
                    line,
                    mark.text.rstrip(),
                    own_line=not before,
                    after_opening=behind is not None and behind.end() == mark.offset,
                )
                self._comments[places.place(inner.offset) if inner else None].append(comment)
            elif opened := nesting.feed(mark):
                self._opening[line, column + 1] = places.place(opened.offset)

    def all_comments(self) -> list[str]:
        """The text of every comment, in order of place."""
        every = (comment for group in self._comments.values() for comment in group)
        return [c.text for c in sorted(every, key=lambda c: c.line)]

    def _open(self, group: Group) -> Place | None:
        return self._opening.get((group.span.end_line, group.span.end_column))

    def one_line(self, group: Group) -> bool:
        opening = self._open(group)
        return opening is None or opening[0] == group.span.end_line

    def comments(self, group: Group | None) -> Sequence[Comment]:
        if group is None:
            return self._comments.get(None, ())
        opening = self._open(group)
        return self._comments.get(opening, ()) if opening else ()

    def gap(self, before: Statement | Comment, after: Statement | Comment, depth: int) -> bool:
        end = before.line if isinstance(before, Comment) else before.span.end_line
        start = after.line if isinstance(after, Comment) else after.span.line
        return start - end > 1

    def same_line(self, before: Statement, after: Statement) -> bool:
        return before.span.end_line == after.span.line

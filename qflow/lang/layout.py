"""From documents to lines: what stays on one line, what is aligned, where comments go.

The source decides between several lines and one; only what does not fit is broken up here. So a
text that was formatted once keeps its lines.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from qflow.lang.align import align, align_comments
from qflow.lang.document import Group, Statement, brackets, flat, flat_cells, flat_group
from qflow.lang.rows import LIMIT, Comment, Row
from qflow.records import dataclass

_INDENT = "  "


class Layout(Protocol):
    """What the source says about lines; `Plain` for trees without one, `Source` for a text."""

    def one_line(self, group: Group) -> bool:
        """Whether the group stood on a single line."""
        ...

    def comments(self, group: Group | None) -> Sequence[Comment]:
        """The comments directly in a group, or outside of all groups."""
        ...

    def gap(self, before: Statement | Comment, after: Statement | Comment, depth: int) -> bool:
        """Whether a blank line stands between two neighbours."""
        ...

    def same_line(self, before: Statement, after: Statement) -> bool:
        """Whether two neighbours were written on one line."""
        ...


class Plain:
    """No source: blocks take several lines, everything else as few as possible."""

    def one_line(self, group: Group) -> bool:
        return not group.spread

    def comments(self, group: Group | None) -> Sequence[Comment]:
        return ()

    def gap(self, before: Statement | Comment, after: Statement | Comment, depth: int) -> bool:
        if depth or isinstance(before, Comment) or isinstance(after, Comment):
            return False
        return before.kind != after.kind or any(group.spread for group in before.groups)

    def same_line(self, before: Statement, after: Statement) -> bool:
        return False


def render(statements: Sequence[Statement], layout: Layout) -> list[str]:
    """The lines of a file or of a single statement."""
    place = _Place(layout, depth=0, mark="", join=True)
    return _lines(statements, layout.comments(None), place)


@dataclass(frozen=True)
class _Place:
    """Where neighbouring statements stand."""

    layout: Layout
    depth: int
    mark: str
    """What ends each of them: a comma in a list."""
    join: bool
    """Whether those of one source line stay on one line."""

    @property
    def indent(self) -> str:
        return _INDENT * self.depth


@dataclass(frozen=True)
class _Element:
    """A statement with the comment behind it, or a comment on its own line."""

    node: Statement | Comment
    comment: str = ""

    @property
    def line(self) -> int:
        return self.node.line if isinstance(self.node, Comment) else self.node.span.line


def _lines(
    statements: Sequence[Statement], comments: Sequence[Comment], place: _Place
) -> list[str]:
    rows: list[Row] = []
    before: Statement | Comment | None = None
    for together in _together(_elements(statements, comments), place):
        made = _rows(together, place)
        if before is not None and place.layout.gap(before, together[0].node, place.depth):
            made[0] = replace(made[0], blank_before=True)
        rows += made
        before = together[-1].node
    return [
        line
        for row in align_comments(align(rows, len(place.indent)))
        for line in (*([""] if row.blank_before else []), *row.lines(place.indent))
    ]


def _elements(statements: Sequence[Statement], comments: Sequence[Comment]) -> list[_Element]:
    """Statements and own-line comments in the order of the source."""
    last_on_line = {s.span.end_line: n for n, s in enumerate(statements)} if comments else {}
    behind: dict[int, str] = {}
    own: list[_Element] = []
    for comment in comments:
        n = None if comment.own_line else last_on_line.get(comment.line)
        if n is None:
            own.append(_Element(comment))
        else:
            behind[n] = comment.text
    elements = [_Element(s, behind.get(n, "")) for n, s in enumerate(statements)]
    return sorted([*elements, *own], key=lambda e: e.line) if own else elements


def _together(elements: Sequence[_Element], place: _Place) -> list[list[_Element]]:
    """Neighbours of one source line as one list, everything else alone."""
    found: list[list[_Element]] = []
    for element in elements:
        before = found[-1][-1].node if found else None
        joins = (
            place.join
            and isinstance(before, Statement)
            and isinstance(element.node, Statement)
            and place.layout.same_line(before, element.node)
        )
        if joins:
            found[-1].append(element)
        else:
            found.append([element])
    return found


def _rows(together: Sequence[_Element], place: _Place) -> list[Row]:
    statements = [e.node for e in together if isinstance(e.node, Statement)]
    if len(statements) > 1:
        text = (", " if place.mark else "; ").join(map(flat, statements)) + place.mark
        fits = len(place.indent) + len(text) <= LIMIT
        if fits and not any(_must_spread(g, place) for s in statements for g in s.groups):
            return [Row("", (text,), comment=together[-1].comment)]
    return [_row(element, place) for element in together]


def _row(element: _Element, place: _Place) -> Row:
    """One element; groups are spread from the last one on until the lines around them fit."""
    statement = element.node
    if isinstance(statement, Comment):
        return Row("", (statement.text,), is_comment=True)
    spread = [group for group in statement.groups if _must_spread(group, place)]
    left = [g for g in statement.groups if g.entries and not _is_in(g, spread)]
    pieces = _pieces(statement, spread, place)
    while left and any(piece.is_too_wide for piece in pieces):
        spread.append(left.pop())
        pieces = _pieces(statement, spread, place)
    if len(pieces) == 1:
        cells = flat_cells(statement)
        cells = (*cells[:-1], cells[-1] + place.mark)
        return Row(statement.kind, cells, comment=element.comment)
    first, *middle, last = (piece.text for piece in pieces)
    return Row("", (first.lstrip(),), (*middle, last + place.mark), element.comment)


def _must_spread(group: Group, place: _Place) -> bool:
    holds = group.entries or place.layout.comments(group)
    return bool(holds) and not place.layout.one_line(group)


def _is_in(group: Group, groups: Sequence[Group]) -> bool:
    """By identity: equal groups may stand in one statement."""
    return any(group is other for other in groups)


@dataclass(frozen=True)
class _Piece:
    """A line of a statement that takes several."""

    text: str
    counts: bool = True
    """False for lines of inner statements, which see to their own width."""

    @property
    def is_too_wide(self) -> bool:
        return self.counts and len(self.text) > LIMIT


def _pieces(statement: Statement, spread: Sequence[Group], place: _Place) -> list[_Piece]:
    pieces: list[_Piece] = []
    text = place.indent
    for number, cell in enumerate(statement.cells):
        text += " " if number else ""
        for part in cell:
            if isinstance(part, str):
                text += part
            elif not _is_in(part, spread):
                text += flat_group(part)
            else:
                pieces += _opened(text, part, place)
                text = place.indent + brackets(part)[1]
    return [*pieces, _Piece(text)]


def _opened(text: str, group: Group, place: _Place) -> list[_Piece]:
    """The line that ends with the opening bracket, and the lines inside."""
    head = f"{text}{group.lead}{brackets(group)[0]}"
    comments = place.layout.comments(group)
    behind = comments[0].text if comments and comments[0].after_opening else ""
    inside = _Place(
        place.layout,
        place.depth + 1,
        mark="" if group.style == "block" else ",",
        # a line this function breaks up becomes one line per entry
        join=not place.layout.one_line(group),
    )
    lines = _lines(group.entries, comments[1:] if behind else comments, inside)
    opening = _Piece(f"{head}  {behind}", counts=len(head) > LIMIT) if behind else _Piece(head)
    return [opening, *(_Piece(line, counts=False) for line in lines)]

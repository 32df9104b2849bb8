"""Rows: lines in the making, whose cells can still be padded."""

from qflow.records import dataclass

LIMIT = 110
"""Columns a line may have before a group in it is broken up; comments do not count."""


@dataclass(frozen=True)
class Comment:
    """`# ...` as written, without spaces at its end."""

    line: int
    text: str
    own_line: bool
    """Nothing stands before it on its line."""
    after_opening: bool = False
    """Only an opening bracket stands between it and what its group belongs to."""


@dataclass(frozen=True)
class Row:
    kind: str
    """Neighbours of the same kind are aligned; empty for what never is."""
    cells: tuple[str, ...]
    more: tuple[str, ...] = ()
    """Further lines, indented already."""
    comment: str = ""
    blank_before: bool = False
    is_comment: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.cells)

    def lines(self, indent: str) -> list[str]:
        """With the trailing comment two spaces behind the last line."""
        lines = [indent + self.text, *self.more]
        if self.comment:
            lines[-1] += f"  {self.comment}"
        return [line.rstrip() for line in lines]

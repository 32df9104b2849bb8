"""document: statements of aligned cells and brackets around statements, before lines exist."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from qflow.diagnostics import Span
from qflow.records import dataclass


@dataclass(frozen=True)
class Group:
    """Brackets and what stands in them: on one line, or each entry on its own."""

    style: Literal["block", "list", "dict"]
    entries: tuple["Statement", ...]
    span: Span
    """Ends at the closing bracket; its start may lie before the opening one."""
    spread: bool = False
    """Takes several lines where the source does not say."""
    lead: str = ""
    """Text before the opening bracket that goes away with an empty group."""


Part: TypeAlias = str | Group
Cell: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True)
class Statement:
    """Cells are separated by a space; neighbours of one kind align them."""

    kind: str
    cells: tuple[Cell, ...]
    span: Span

    @property
    def groups(self) -> Iterator[Group]:
        return (part for cell in self.cells for part in cell if isinstance(part, Group))


def flat(statement: Statement) -> str:
    """The statement on one line."""
    return " ".join(flat_cells(statement))


def flat_cells(statement: Statement) -> tuple[str, ...]:
    return tuple(
        "".join(part if isinstance(part, str) else flat_group(part) for part in cell)
        for cell in statement.cells
    )


def flat_group(group: Group) -> str:
    """The group on one line."""
    opening, closing = brackets(group)
    if not group.entries:
        return "" if group.lead else opening + closing
    separator, inside = ("; ", " ") if group.style == "block" else (", ", "")
    entries = separator.join(flat(entry) for entry in group.entries)
    return f"{group.lead}{opening}{inside}{entries}{inside}{closing}"


def brackets(group: Group) -> tuple[str, str]:
    return ("[", "]") if group.style == "list" else ("{", "}")

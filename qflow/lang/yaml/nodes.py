"""nodes: a YAML document as data, each node with the span it was written at."""

from typing import TypeAlias

from qflow.diagnostics import Span
from qflow.records import dataclass


@dataclass(frozen=True)
class Scalar:
    text: str
    quoted: bool
    """In quotes or a block of text: never a number, a word or a truth value."""
    span: Span
    start: tuple[int, int] | None = None
    """Line and column of the first character of `text`, where it stands in the file as it is."""


@dataclass(frozen=True)
class Sequence:
    items: tuple["Node", ...]
    span: Span


@dataclass(frozen=True)
class Mapping:
    entries: tuple[tuple[Scalar, "Node"], ...]
    span: Span

    def get(self, key: str) -> "Node | None":
        return next((value for name, value in self.entries if name.text == key), None)


Node: TypeAlias = Scalar | Sequence | Mapping


def describe(node: Node) -> str:
    """What a node is, for a message."""
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case _:
            return "empty" if not node.quoted and node.text in EMPTY else f"`{shorten(node.text)}`"


EMPTY = ("", "~", "null", "Null", "NULL")


def shorten(text: str) -> str:
    line = text.replace("\n", " ")
    return line if len(line) <= 60 else line[:57] + "..."

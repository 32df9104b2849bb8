"""entry: a table as data: what it says of each tensor, whatever its format."""

from __future__ import annotations

from qflow.diagnostics import Diagnostic, QflowError, Span, fail
from qflow.records import dataclass

MOST_ENTRIES = 1_000_000
SMALLEST, LARGEST = 2.0**-126, (2 - 2.0**-23) * 2.0**127
"""Of float32, which scales are kept in."""


@dataclass(frozen=True)
class Entry:
    """What a table says of one tensor. One of `scale`, `threshold` and `unusable` says anything."""

    name: str
    line: int = 0
    """Where it stands; 0 in a file without lines."""
    scale: float | None = None
    """Real value of one step of `bits`."""
    threshold: float | None = None
    """The largest magnitude; a step follows from the dtype and the march."""
    bits: int | None = None
    """What the scale is of; None: of any."""
    signed: bool = True
    """False where the table says that no value is negative."""
    unusable: str = ""
    """Why no symmetric grid follows from it."""


@dataclass(frozen=True)
class Table:
    """The entries of a file in its order."""

    path: str
    """As the user named it."""
    format: str
    entries: tuple[Entry, ...]
    parameters: tuple[str, ...] = ()
    """Names of weights it has scales of, which are not taken: a weight has its own."""


class Malformed(Exception):
    """A text that is no table; says why, and on which line (0: none)."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


def positive(value: float) -> str:
    """Why a number is no scale or threshold; empty where it is one."""
    if not value > 0:
        return "it is not above 0"
    if not SMALLEST <= value <= LARGEST:
        return "it does not fit a float32"
    return ""


def damaged(shown: str, why: str, line: int = 0) -> QflowError:
    """QF330 for a file that is no table."""
    at = Span(shown, line, 1, line, 1) if line else None
    return fail(
        Diagnostic(
            "QF330",
            f"`{shown}` is no table of scales: {why}",
            at=at,
            help="name the format with `format = ...`, or have the file written anew",
        )
    )

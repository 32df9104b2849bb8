"""reading: from a file to a table: its size, its text, its format."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from qflow import registry
from qflow.diagnostics import Diagnostic, fail
from qflow.tables.entry import Malformed, Table, damaged

FORMATS = "tables.formats"
LARGEST = 64 << 20
"""Bytes; a table of a large model has some hundred kilobytes."""


class Files(Protocol):
    """Where files are read from."""

    def read(self, path: Path) -> bytes:
        """Raises OSError."""

    def size(self, path: Path) -> int:
        """Raises OSError."""


def text_of(path: Path, shown: str, files: Files) -> str:
    """A text with any line ends, with or without a BOM.

    Raises QflowError: QF302 for a file that cannot be read, QF330 for one that is too large or no
    text.
    """
    try:
        if files.size(path) > LARGEST:
            raise damaged(shown, f"it is larger than {LARGEST >> 20} MiB")
        raw = files.read(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise fail(Diagnostic("QF302", f"the table `{shown}` cannot be read: {why}")) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise damaged(shown, f"byte {error.start} is no UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read(path: Path, shown: str, files: Files, format: str = "") -> Table:
    """The table of a file; without `format` it is seen from the text.

    Raises QflowError: QF302, QF330.
    """
    return parse(text_of(path, shown, files), shown, format)


def parse(text: str, shown: str, format: str = "") -> Table:
    """The table of a text. Raises QflowError QF330."""
    name = format or _seen(text)
    if not name:
        known = ", ".join(registry.names(FORMATS))
        raise damaged(shown, f"it looks like none of {known}")
    try:
        table: Table = registry.load(FORMATS, name)().read(text, shown)
    except Malformed as error:
        raise damaged(shown, str(error), error.line) from error
    return table


def _seen(text: str) -> str:
    """The format of a text; empty where none knows it."""
    names = registry.names(FORMATS)
    return next((n for n in names if registry.load(FORMATS, n)().knows(text)), "")

"""Alignment: consecutive rows of one kind get their cells, and their comments, into columns."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from qflow.lang.rows import LIMIT, Row

_WIDEST_CELL = 40
"""A row with a wider cell stays as it is, so that one long selector does not push all others."""
_WIDEST_COMMENTED = 70
"""The same for the text before a comment."""


def align(rows: Sequence[Row], indent: int) -> list[Row]:
    """Pad every cell that is followed by another to the widest of its column in its run.

    A run ends at a blank line, at another kind and at a row of several lines; comments on their
    own line do not end it. A run that padding would make too wide is left alone.
    """
    return [row for run in _runs(rows) for row in _aligned(run, indent)]


def align_comments(rows: Sequence[Row]) -> list[Row]:
    """Give the comments behind consecutive rows one column."""
    runs: list[list[Row]] = []
    for row in rows:
        if runs and not row.blank_before and _commented(row) and _commented(runs[-1][-1]):
            runs[-1].append(row)
        else:
            runs.append([row])
    return [row for run in runs for row in _with_one_column(run)]


def _runs(rows: Sequence[Row]) -> list[list[Row]]:
    runs: list[list[Row]] = []
    kind = ""
    for row in rows:
        continues = row.is_comment or (row.kind == kind and not row.more)
        if runs and not row.blank_before and continues:
            runs[-1].append(row)
        else:
            runs.append([row])
        if not row.is_comment:
            kind = row.kind
    return runs


def _aligned(run: list[Row], indent: int) -> list[Row]:
    columns = zip_longest(*(row.cells[:-1] for row in run if _can_align(row)), fillvalue="")
    widths = [max(len(cell) for cell in column) for column in columns]
    padded = [_padded(row, widths) if _can_align(row) else row for row in run]
    too_wide = any(_can_align(row) and indent + len(row.text) > LIMIT for row in padded)
    return run if too_wide else padded


def _can_align(row: Row) -> bool:
    return bool(row.kind) and all(len(cell) <= _WIDEST_CELL for cell in row.cells[:-1])


def _padded(row: Row, widths: Sequence[int]) -> Row:
    *before, last = row.cells
    cells = (cell.ljust(width) for cell, width in zip(before, widths, strict=False))
    return replace(row, cells=(*cells, last))


def _commented(row: Row) -> bool:
    return bool(row.comment) and not row.more and len(row.text) <= _WIDEST_COMMENTED


def _with_one_column(run: list[Row]) -> list[Row]:
    if len(run) == 1:
        return run
    width = max(len(row.text) for row in run)
    return [replace(row, cells=(row.text.ljust(width),)) for row in run]

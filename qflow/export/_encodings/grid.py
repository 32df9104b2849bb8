"""grid: a row as these formats count: bits, offset of an unsigned count, numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.dtype import DTYPES

if TYPE_CHECKING:
    from qflow.export._tables.rows import Row


def bits(row: Row) -> int:
    return DTYPES[row.dtype].bits


def offset(row: Row) -> int:
    """Integers are counted from 0 here: real = (count + offset) * scale."""
    return DTYPES[row.dtype].qmin


def scales(row: Row) -> list[float]:
    """A float32 as the float64 of the same value, which JSON writes and reads exactly."""
    return [float(s) for s in row.scale]


def is_parameter(row: Row) -> bool:
    return row.role != "activation"

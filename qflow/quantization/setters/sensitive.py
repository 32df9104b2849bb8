"""sensitive: the most sensitive operators of a table get a qconfig of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from os import PathLike
from typing import Any

from qflow.diagnostics import Diagnostic, fail
from qflow.plan.sensitivity import Row, Table
from qflow.plan.sensitivity_pt import rows_from
from qflow.quantization.deciding import Answer, Decision, Setter
from qflow.quantization.field_observers import dtype_of
from qflow.quantization.names import covered
from qflow.quantization.qconfig import QConfig, require_qconfig
from qflow.quantization.scene import Scene
from qflow.quantization.sensitivity_table import load
from qflow.quantization.setters.default import high_tails

SENSITIVE_TYPES = ("activation", "weight", "both")


@dataclass(frozen=True)
class SensitiveSetter(Setter):
    """Rows that were cut and filtered already. An output of high precision keeps it."""

    name: str
    qconfig: QConfig
    rows: tuple[Row, ...]

    def decide(self, scene: Scene, taken: frozenset[str]) -> Answer:
        found = covered(scene, tuple(dict.fromkeys(r.op_name for r in self.rows)), self.name)
        tails = high_tails(scene)
        decisions = {
            unit: Decision(self.qconfig, f"{self.name} `{name}`")
            for unit, name in found.by_unit.items()
            if unit not in tails
        }
        notes = found.unknown if self.rows else (no_rows(self.name),)
        return Answer(decisions, found.changes, notes)


def sensitive_setter(
    name: str,
    qconfig: QConfig,
    table: Any,
    topk: int | None,
    ratio: float | None,
    sensitive_type: str = "activation",
    dtype: Any = "int8",
) -> SensitiveSetter:
    """Cut a table first, then keep the rows of that type and dtype.

    Raises QflowError: QF252 as `cut` does, QF111 and QF113 for a type and a qconfig that are none.
    """
    require_sensitive_type(sensitive_type)
    require_qconfig(qconfig, f"what `{name}` gives")
    kept = of_kind(cut(rows_of(table), topk, ratio), sensitive_type, dtype)
    return SensitiveSetter(name, qconfig, kept)


def require_sensitive_type(word: str) -> None:
    """Raises QflowError QF111 for a word that is none of `SENSITIVE_TYPES`."""
    if word not in SENSITIVE_TYPES:
        known = ", ".join(f"`{t}`" for t in SENSITIVE_TYPES)
        message = f"`sensitive_type` is one of {known}, not `{word}`"
        raise fail(Diagnostic("QF111", message))


def no_rows(name: str) -> Diagnostic:
    """What is to be said where a table, cut and filtered, leaves nothing to do."""
    return Diagnostic(
        "QF256",
        f"`{name}` decides nothing: the table has no row, or none of those it was cut to is about "
        "this type of tensor at this dtype",
        help="take more rows, or check `sensitive_type` and the dtype; a table is cut first and "
        "filtered afterwards",
        severity="warning",
    )


def rows_of(table: Any) -> tuple[Row, ...]:
    """Rows, most sensitive first: of a path, a `Table`, or a list of rows of 4, 5 or 6 columns.

    Raises QflowError: QF282 for what is no table, QF302 for a file that is missing.
    """
    if isinstance(table, (str, PathLike)):
        return load(table)
    if isinstance(table, Table):
        return table.rows
    rows = tuple(table) if isinstance(table, Sequence) else table
    if isinstance(rows, tuple) and rows and all(isinstance(r, Row) for r in rows):
        return rows
    return rows_from(rows, "sensitive_table")


def cut(rows: tuple[Row, ...], topk: int | None, ratio: float | None) -> tuple[Row, ...]:
    """The first `topk` rows, or ceil(len * ratio) of them, whatever they are about.

    Raises QflowError: QF252 unless exactly one of both is given and in its range.
    """
    if (topk is None) == (ratio is None):
        given = "neither" if topk is None else "both"
        raise _wrong(f"a table is cut by `topk` or by `ratio`, and {given} is given")
    if ratio is not None:
        if isinstance(ratio, bool) or not 0 < ratio <= 1:
            raise _wrong(f"`ratio` lies above 0 and up to 1, not at {ratio}")
        # 0.2 * 30 is 6.000000000000001 in floats, and 7 rows would be wrong
        return rows[: ceil(round(len(rows) * ratio, 9))]
    if isinstance(topk, bool) or not isinstance(topk, int) or topk < 1:
        raise _wrong(f"`topk` is a number of rows from 1, not {topk}")
    return rows[:topk]


def of_kind(rows: tuple[Row, ...], sensitive_type: str, dtype: Any) -> tuple[Row, ...]:
    """Rows about that type of tensor, quantized as `dtype` where the table says how."""
    types = ("activation", "weight") if sensitive_type == "both" else (sensitive_type,)
    word = dtype_of(dtype).name
    return tuple(
        r
        for r in rows
        if r.sensitive_type in types and r.quant_dtype.removeprefix("q") in ("", word)
    )


def _wrong(message: str) -> Exception:
    return fail(Diagnostic("QF252", message, help="write `topk=10` or `ratio=0.2`"))

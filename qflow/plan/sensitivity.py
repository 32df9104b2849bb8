"""sensitivity: how much each quantized tensor alone disturbs an output; a table, one JSON a line.

    {"qflow-sensitivity": 1, "metric": "cosine", "candidate": "w8a8", "plan": "sha256:...", ...}
    {"address": "stem.conv", "type": "activation", "value": 0.98, "score": 0.02, ...}

The first line says what the table was measured from. Rows stand by falling score, then address,
type and output. A number that JSON has no word for (an SQNR without any error) is written `"inf"`.
"""

import json
from collections.abc import Iterable
from dataclasses import field, fields
from math import isfinite, isnan
from pathlib import Path
from typing import Any

from qflow.atomic import write
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.records import dataclass

FORMAT = "qflow-sensitivity"
VERSION = 1
TYPES = ("activation", "weight", "input")
"""What a row is about: an operator's output, its weight, an operand with a grid of its own."""


LARGEST = 64 << 20
"""Bytes of a table that is read; with a row for each of 100,000 tensors it is half of that."""


@dataclass(frozen=True)
class Row:
    """One quantized tensor; the first six fields are the columns of the field's own tables."""

    op_name: str
    """Address in the prepared model: a fusion has that of its convolution, linear or add."""
    sensitive_type: str
    """`activation`, `weight` or `input`."""
    op_type: str
    metric: float
    """Value of the metric with this tensor quantized and all others float."""
    quant_dtype: str = ""
    """`qint8`; empty where the table does not say (4 columns)."""
    flops: str = ""
    """`36720(100.00%)`: operations of one sample and their share; empty where unknown."""
    score: float = 0.0
    """How sensitive: larger is worse, whatever the metric."""
    output: str = ""
    """Which output it disturbs; empty where the table does not say."""

    def columns(self) -> list[str | float]:
        """As the field's tables have it, six columns."""
        return [
            self.op_name,
            self.sensitive_type,
            self.op_type,
            self.metric,
            self.quant_dtype,
            self.flops,
        ]


@dataclass(frozen=True)
class Origin:
    """What a table was measured from. Each part is a word or a digest; empty where unknown."""

    metric: str = ""
    candidate: str = ""
    """Name of the qconfig every module had."""
    qconfig: str = ""
    """Digest of that qconfig's fields."""
    march: str = ""
    model: str = ""
    """Digest of the model's structure, as a lock has it."""
    data: str = ""
    """Digest of the data block and of what the table says of samples, not of the samples."""
    samples: str = ""
    """Digest of every byte of the samples; known only where data was read."""
    weights: str = ""
    """Digest of the float weights; known only where they were read."""
    plan: str = ""
    """Digest over everything a plan contributes: all of the above but samples and weights."""


CHECKED = ("metric", "qconfig", "march", "model", "data")
"""Parts of an origin that are known without data and weights."""


@dataclass(frozen=True)
class Table:
    """Rows by falling score, and where they come from."""

    rows: tuple[Row, ...]
    origin: Origin = field(default_factory=Origin)
    evaluations: int = 0
    """Module evaluations the measurement took."""
    brute_force: int = 0
    """What running the whole model once per tensor takes."""

    def differs(self, now: Origin, parts: Iterable[str] = CHECKED) -> tuple[str, ...]:
        """Parts in which the table was measured from something else; unknown parts never differ."""
        return tuple(p for p in parts if _differ(getattr(self.origin, p), getattr(now, p)))


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def ranked(rows: Iterable[Row]) -> tuple[Row, ...]:
    """By falling score, then address, type and output."""
    return tuple(
        sorted(rows, key=lambda r: (-r.score, r.op_name, r.sensitive_type, r.output, r.metric))
    )


def render(table: Table) -> str:
    """The text of a table; equal tables give equal text anywhere."""
    origin = {f.name: getattr(table.origin, f.name) for f in fields(Origin)}
    head: dict[str, Any] = {FORMAT: VERSION}
    head |= {k: v for k, v in origin.items() if v}
    head |= {"evaluations": table.evaluations, "brute_force": table.brute_force}
    lines = [head, *(_plain(r) for r in ranked(table.rows))]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def save(table: Table, path: Path) -> None:
    """Write the table at once. Raises OSError."""
    write(path, render(table))


def read(path: Path, shown: str = "") -> Table:
    """A table as `save` writes it, or in the field's `.pt` format without tensors in it.

    Raises QflowError: QF302 when there is none, QF282 when it is no table.
    """
    name = shown or path.as_posix()
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise unreadable(name, error) from error
    if len(raw) > LARGEST:
        raise too_large(name)
    return decoded(raw, path.suffix, name)


def decoded(raw: bytes, suffix: str, shown: str) -> Table:
    """A table of its bytes, `.pt` or lines. Raises QflowError QF282."""
    if suffix == ".pt":
        from qflow.plan.sensitivity_pt import rows_of

        return Table(rows_of(raw, shown))
    return parse(raw, shown)


def unreadable(shown: str, error: OSError) -> QflowError:
    """QF302 for a table that cannot be read."""
    why = error.strerror or str(error)
    return fail(Diagnostic("QF302", f"the table `{shown}` cannot be read: {why}"))


def too_large(shown: str) -> QflowError:
    """QF282 for a file no table is as large as."""
    return damaged(shown, f"it is larger than {LARGEST >> 20} MiB")


def read_table(path: Path) -> tuple[Row, ...]:
    """The rows of a table, most sensitive first; raises as `read`."""
    return read(path).rows


def parse(raw: bytes, shown: str) -> Table:
    """Raises QflowError QF282, naming the line."""
    lines = raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").split("\n")
    numbered = [(i, line) for i, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise damaged(shown, "it is empty")
    head = _record(shown, *numbered[0])
    if head.get(FORMAT) != VERSION:
        raise damaged(shown, f'its first line is not `{{"{FORMAT}": {VERSION}, ...}}`')
    known = {f.name for f in fields(Origin)}
    origin = Origin(**{k: v for k, v in head.items() if k in known and isinstance(v, str)})
    rows = tuple(_row(shown, number, _record(shown, number, line)) for number, line in numbered[1:])
    counts = [head.get(k, 0) for k in ("evaluations", "brute_force")]
    if not all(type(c) is int and c >= 0 for c in counts):
        raise damaged(shown, "its counts of evaluations are no numbers")
    return Table(ranked(rows), origin, *counts)


def damaged(shown: str, why: str) -> QflowError:
    """QF282 for a file that is no table."""
    return fail(
        Diagnostic(
            "QF282",
            f"`{shown}` is no sensitivity table: {why}",
            help="delete it and run `qflow sensitivity` on the .qf file to measure it again",
        )
    )


_KEYS = {
    "op_name": "address",
    "sensitive_type": "type",
    "op_type": "op",
    "metric": "value",
    "quant_dtype": "dtype",
    "flops": "flops",
    "score": "score",
    "output": "output",
}
"""Field of a row to its key in the file."""
_NUMBERS = ("metric", "score")


def _plain(row: Row) -> dict[str, str | float]:
    return {
        key: _number(getattr(row, name)) if name in _NUMBERS else getattr(row, name)
        for name, key in _KEYS.items()
    }


def _number(value: float) -> str | float:
    return value if isfinite(value) else str(value)


def _record(shown: str, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise damaged(shown, f"line {number} is not JSON") from error
    if not isinstance(found, dict):
        raise damaged(shown, f"line {number} is not an object")
    return found


def _row(shown: str, number: int, record: dict[str, Any]) -> Row:
    values: dict[str, Any] = {}
    for name, key in _KEYS.items():
        value = record.get(key, 0.0 if name == "score" else "")
        value = _read_number(value) if name in _NUMBERS else value
        if value is None or not isinstance(value, float if name in _NUMBERS else str):
            raise damaged(shown, f"`{key}` of line {number} is missing or of another kind")
        values[name] = value
    if not values["op_name"] or values["sensitive_type"] not in TYPES:
        raise damaged(shown, f"line {number} names no address, or no type of {', '.join(TYPES)}")
    return Row(**values)


def _read_number(value: object) -> float | None:
    if value in ("inf", "-inf"):
        return float(str(value))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return None if isnan(number) else number

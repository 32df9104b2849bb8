"""record: `sweep.json`: what was asked, and the points that were frozen, for `--resume`."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.engine import files
from qflow.records import dataclass
from qflow.sweep.wanted import Wanted

FORMAT_VERSION = "1.0"
_NAME = re.compile(r"(?!\.+$)[A-Za-z0-9._=,+-]{1,200}")
"""Of a point: it names files, and must not leave their folder."""


@dataclass(frozen=True)
class FrozenPoint:
    """One point, as its plan was frozen."""

    name: str
    values: tuple[tuple[str, str], ...]
    """What the sweep varies, in its order."""
    plan: str
    """sha256 of the file of the plan."""
    model: str
    """Digest of structure and weights."""
    weight_bytes: int
    bit_operations: int
    watched: tuple[str, ...] = ()
    """Points that calibrate on the same values."""


@dataclass(frozen=True)
class Record:
    program: str
    sweep: str | None
    varied: tuple[tuple[str, tuple[str, ...]], ...]
    settings: tuple[tuple[str, str], ...]
    threads: int
    points: tuple[FrozenPoint, ...]
    wanted: Wanted = Wanted()


def write(path: Path, record: Record) -> None:
    """Raises QflowError QF316."""
    data = {"format_version": FORMAT_VERSION, **asdict(record)}
    files.write(path, json.dumps(data, indent=2, sort_keys=True) + "\n")


def read(path: Path) -> Record:
    """Raises QflowError QF322 for a file that `write` did not write."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format_version") != FORMAT_VERSION:
            raise ValueError("it has another format version")
        return _record(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, str(error) or type(error).__name__) from error


def damaged(path: Path, why: str) -> QflowError:
    """QF322 for a file of a sweep."""
    return fail(
        Diagnostic(
            "QF322",
            f"`{path.as_posix()}` is not what a sweep wrote: {why:.120}",
            help="run the sweep without `--resume`; stages it has made are reused",
        )
    )


def _record(data: Mapping[str, Any]) -> Record:
    points = tuple(_point(p) for p in data["points"])
    names = {p.name for p in points}
    if len(names) < len(points) or not points:
        raise ValueError("its points are not there, or not distinct")
    if any(w not in names for p in points for w in p.watched):
        raise ValueError("a point it names is not there")
    return Record(
        program=_text(data["program"]),
        sweep=None if data["sweep"] is None else _text(data["sweep"]),
        varied=tuple((_text(n), tuple(map(_text, values))) for n, values in data["varied"]),
        settings=_pairs(data["settings"]),
        threads=_count(data["threads"]),
        points=points,
        wanted=_wanted(data["wanted"]),
    )


def _wanted(data: Mapping[str, Any]) -> Wanted:
    if set(data) != {f.name for f in fields(Wanted)}:
        raise ValueError("what is wanted has other fields")
    said = {name: value for name, value in data.items() if value is not None}
    for name, value in said.items():
        (_count if name in ("trials", "seed", "batch") else _text)(value)
    return Wanted(**said)


def _point(data: Mapping[str, Any]) -> FrozenPoint:
    if set(data) != {f.name for f in fields(FrozenPoint)}:
        raise ValueError("a point has other fields")
    name = _text(data["name"])
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r:.60} is no name of a point")
    return FrozenPoint(
        name=name,
        values=_pairs(data["values"]),
        plan=_text(data["plan"]),
        model=_text(data["model"]),
        weight_bytes=_count(data["weight_bytes"]),
        bit_operations=_count(data["bit_operations"]),
        watched=tuple(map(_text, data["watched"])),
    )


def _pairs(data: Any) -> tuple[tuple[str, str], ...]:
    return tuple((_text(name), _text(value)) for name, value in data)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is no text")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r:.60} is no count")
    return value

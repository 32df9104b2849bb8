"""dump_index: what a dump says of itself: the tensors of a lane, their grids, and its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from qflow.emulation.record import Damaged, Record
from qflow.engine import files

INDEX = "dump.json"
FORMAT = "qflow.dump"
VERSION = "1.0"
MOST_BYTES = 1 << 28


@dataclass(frozen=True)
class Grid:
    """Real value = (q - zero_point) * scale."""

    scale: tuple[float, ...]
    """One, or one per channel along `axis`."""
    zero_point: int = 0
    axis: int | None = None

    def real(self, integers: np.ndarray, first: int, shape: tuple[int, ...]) -> np.ndarray:
        """Of integers that are the values from `first` on of an array: float32, held in float64."""
        scale = np.asarray(self.scale, np.float64)
        if self.axis is not None:
            inner = prod(shape[self.axis + 1 :])
            scale = scale[(np.arange(first, first + integers.size) // inner) % len(scale)]
        found: np.ndarray = ((integers - self.zero_point) * scale).astype(np.float32)
        return found.astype(np.float64)


@dataclass(frozen=True)
class Entry:
    """A tensor of a dump."""

    op: str = ""
    grid: Grid | None = None
    """None where real values are stored."""
    unstable: str = ""
    """Why the order of its values means nothing; empty where it does."""


@dataclass(frozen=True)
class Part:
    """A file of a dump: every tensor, on some of the samples."""

    file: str
    first: int
    count: int
    sha256: str


@dataclass(frozen=True)
class Index:
    asked: str
    """Digest of all that the dump is made from; another one begins anew."""
    lane: str
    values: str
    """`integers` or `real`."""
    tensors: Mapping[str, Entry] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    complete: bool = False

    @property
    def samples(self) -> int:
        return sum(part.count for part in self.parts)


def write_index(index: Index, folder: Path) -> None:
    """Raises QflowError QF316."""
    data = {
        "format": FORMAT,
        "version": VERSION,
        "complete": index.complete,
        "asked": index.asked,
        "lane": index.lane,
        "values": index.values,
        "samples": index.samples,
        "tensors": {name: _told(entry) for name, entry in index.tensors.items()},
        "parts": [vars(part) for part in index.parts],
    }
    files.write(folder / INDEX, json.dumps(data, indent=2) + "\n")


def read_index(folder: Path) -> Index:
    """Raises Damaged, also where there is none, and OSError."""
    path = folder / INDEX
    if not path.is_file():
        raise Damaged(f"it is a folder without `{INDEX}`")
    if path.stat().st_size > MOST_BYTES:
        raise Damaged(f"`{INDEX}` is too large")
    found = Record.parse(path.read_bytes(), INDEX)
    if found.text("format") != FORMAT or found.text("version").split(".")[0] != "1":
        raise Damaged(f"`{INDEX}` is of another version, or of something else")
    tensors = found.record("tensors")
    return Index(
        asked=found.text("asked"),
        lane=found.text("lane"),
        values=found.text("values"),
        tensors={name: _entry(tensors.record(name)) for name in tensors.data},
        parts=tuple(_part(record) for record in found.records("parts")),
        complete=found.data.get("complete") is True,
    )


def _told(entry: Entry) -> dict[str, Any]:
    grid = entry.grid
    return {
        "op": entry.op,
        "unstable": entry.unstable,
        "scale": None if grid is None else list(grid.scale),
        "zero_point": None if grid is None else grid.zero_point,
        "axis": None if grid is None else grid.axis,
    }


def _entry(record: Record) -> Entry:
    op, unstable = record.text("op"), record.text("unstable")
    scale = record.floats("scale")
    if scale is None:
        return Entry(op, None, unstable)
    axis = None if record.data.get("axis") is None else record.integer("axis")
    if not len(scale) or (axis is None and len(scale) != 1) or (axis is not None and axis < 0):
        raise Damaged(f"{record.where} has scales that fit nothing")
    grid = Grid(tuple(float(s) for s in scale), record.integer("zero_point"), axis)
    return Entry(op, grid, unstable)


def _part(record: Record) -> Part:
    part = Part(
        record.text("file"), record.integer("first"), record.integer("count"), record.text("sha256")
    )
    if Path(part.file).name != part.file or part.count < 1:
        raise Damaged(f"{record.where} names no file of this folder")
    return part

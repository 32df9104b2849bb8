"""safetensors: the arrays of a safetensors file, none of them read before it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from qflow.emulation.record import Damaged, Record
from qflow.engine.comparing.arrays import BFLOAT16, Array, blocks_of, size_of

LENGTH_BYTES = 8
MOST_HEADER = 100_000_000
"""Bytes; as the library has it."""
DTYPES = {
    **{"F64": "float64", "F32": "float32", "F16": "float16", "BF16": BFLOAT16, "BOOL": "bool"},
    **{f"I{b}": f"int{b}" for b in (8, 16, 32, 64)},
    **{f"U{b}": f"uint{b}" for b in (8, 16, 32, 64)},
}


def read(path: Path) -> dict[str, Array]:
    """Raises Damaged for what is no such file, OSError for what cannot be read."""
    total = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        if total < LENGTH_BYTES or length > min(MOST_HEADER, total - LENGTH_BYTES):
            raise Damaged("it ends before its header does")
        header = Record.parse(file.read(length), "its header")
    first = LENGTH_BYTES + length
    names = [n for n in header.data if n != "__metadata__"]
    return {name: _array(path, header.record(name), name, first, total) for name in names}


def _array(path: Path, record: Record, name: str, first: int, total: int) -> Array:
    kind, shape, place = (
        record.text("dtype"),
        record.integers("shape"),
        record.integers("data_offsets"),
    )
    if kind not in DTYPES:
        raise Damaged(f"`{name}` is of {kind!r}, which is no dtype that can be compared")
    dtype, size = DTYPES[kind], size_of(DTYPES[kind], shape, name)
    if len(place) != 2 or place[0] < 0 or place[1] - place[0] != size or first + place[1] > total:
        raise Damaged(f"`{name}` lies where nothing is")
    return Array(dtype, shape, partial(_blocks, path, first + place[0], dtype, size, name))


def _blocks(path: Path, place: int, dtype: str, size: int, name: str) -> Iterator[np.ndarray]:
    with path.open("rb") as file:
        file.seek(place)
        yield from blocks_of(file, dtype, size, name)

"""npz: the arrays of a NumPy archive, or the one of a .npy file; nothing of them is executed."""

from __future__ import annotations

import zlib
from ast import literal_eval
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

import numpy as np

from qflow.emulation.record import Damaged
from qflow.engine.comparing.arrays import Array, blocks_of, size_of

SUFFIX = ".npy"
MAGIC = b"\x93NUMPY"
LENGTHS = {1: 2, 2: 4, 3: 4}
"""Version of the format to the bytes of the header's length."""
MOST_HEADER = 1 << 16
KINDS = "biuf"
"""Bool, int, uint, float: everything else is objects, text, or nothing to be compared."""
MOST_MEMBERS = 100_000
MOST_TURNED = 1 << 30
"""Bytes of an array in Fortran's order, which has to be in memory to be turned."""
BROKEN = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What archives that are cut, changed, encrypted or packed in another way raise."""


def read(path: Path) -> dict[str, Array]:
    """Raises Damaged for what is no such file, OSError for what cannot be read."""
    try:
        with ZipFile(path) as archive:
            members = [m for m in archive.namelist() if m.endswith(SUFFIX)]
            if len(members) > MOST_MEMBERS:
                raise Damaged(f"it has {len(members):,} arrays")
            found = {m.removesuffix(SUFFIX): _member(path, archive, m) for m in members}
    except BROKEN as why:
        raise Damaged(f"it is no whole archive of arrays ({why})") from None
    return found


def read_one(path: Path) -> dict[str, Array]:
    """The array of a .npy file, under the name of the file. Raises as `read`."""
    with path.open("rb") as file:
        dtype, shape, turned = _header(file, path.stem)
        if path.stat().st_size - file.tell() != size_of(dtype, shape, path.stem):
            raise Damaged("it holds another number of values than it says")
    blocks = partial(_blocks_of_file, path, dtype, shape, turned)
    return {path.stem: Array(dtype, shape, blocks)}


def _member(path: Path, archive: ZipFile, member: str) -> Array:
    name = member.removesuffix(SUFFIX)
    with archive.open(member) as file:
        dtype, shape, turned = _header(file, name)
        if archive.getinfo(member).file_size - file.tell() != size_of(dtype, shape, name):
            raise Damaged(f"`{name}` holds another number of values than it says")
    return Array(dtype, shape, partial(_blocks, path, member, dtype, shape, turned))


def _header(file: IO[bytes], name: str) -> tuple[str, tuple[int, ...], bool]:
    """dtype, shape, and whether it lies in Fortran's order. Raises Damaged.

    NumPy's own reader guesses at headers of Python 2; this takes what is written today.
    """
    start = file.read(len(MAGIC) + 2)
    version = start[len(MAGIC) :]
    if start[: len(MAGIC)] != MAGIC or len(version) != 2 or version[0] not in LENGTHS:
        raise Damaged(f"`{name}` does not begin as an array does")
    length = int.from_bytes(file.read(LENGTHS[version[0]]), "little")
    if length > MOST_HEADER:
        raise Damaged(f"the header of `{name}` is too long")
    try:
        found = literal_eval(file.read(length).decode("latin1").strip())
        dtype = np.dtype(str(found["descr"]))
        shape, turned = tuple(found["shape"]), bool(found["fortran_order"])
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise Damaged(f"`{name}` has no header that can be read") from None
    if dtype.kind not in KINDS or dtype.byteorder == ">":
        raise Damaged(f"`{name}` is of {dtype}, which is no dtype that can be compared")
    if turned and size_of(dtype.name, shape, name) > MOST_TURNED:
        raise Damaged(f"`{name}` lies in Fortran's order and is too large to be turned")
    return dtype.name, shape, turned


def _blocks(
    path: Path, member: str, dtype: str, shape: tuple[int, ...], turned: bool
) -> Iterator[np.ndarray]:
    try:
        with ZipFile(path) as archive, archive.open(member) as file:
            yield from _values(file, dtype, shape, turned, member)
    except BROKEN as why:
        raise Damaged(f"`{member}` cannot be unpacked ({why})") from None


def _blocks_of_file(
    path: Path, dtype: str, shape: tuple[int, ...], turned: bool
) -> Iterator[np.ndarray]:
    with path.open("rb") as file:
        yield from _values(file, dtype, shape, turned, path.stem)


def _values(
    file: IO[bytes], dtype: str, shape: tuple[int, ...], turned: bool, name: str
) -> Iterator[np.ndarray]:
    _header(file, name)
    blocks = blocks_of(file, dtype, size_of(dtype, shape, name), name)
    if not turned:
        yield from blocks
        return
    whole = list(blocks)
    if whole:
        yield np.concatenate(whole).reshape(shape, order="F").ravel()

"""npz: arrays of NumPy in one file. Nothing in it is unpickled."""

from __future__ import annotations

import io
import struct
import tokenize
import zipfile
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from qflow.diagnostics import Span
from qflow.engine.sources.arrays import Arrays, arranged
from qflow.engine.sources.refusing import damaged
from qflow.plan.plan import DataSpec, PortPlan

_BROKEN = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, ValueError),
    *(OSError, LookupError, NotImplementedError, RuntimeError, OverflowError, TypeError),
    *(SyntaxError, tokenize.TokenError, MemoryError),
)
"""What damaged archives and headers make Python and NumPy raise."""
_LARGEST = 64 << 30
_HEADER = 10_000


def opened(path: Path, spec: DataSpec, ports: tuple[PortPlan, ...], at: Span | None) -> Arrays:
    """Every array the block asks for, in memory. Raises QflowError: QF372, QF373."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            entries = {e.filename.removesuffix(".npy"): e for e in archive.infolist()}
            if sum(e.file_size for e in entries.values()) > _LARGEST:
                raise damaged(spec.source, "it unpacks to more than 64 GiB", at)
            lengths = {name: 0 for name in entries}
            wanted = arranged(spec, ports, lengths, _none, at)
            names = [*wanted.inputs.values(), *([wanted.target] if wanted.target else [])]
            arrays = {n: _array(archive, entries[n]) for n in names}
    except _BROKEN as error:
        raise damaged(spec.source, str(error) or type(error).__name__, at) from error
    counts = {name: None if name not in arrays else _count(arrays[name]) for name in entries}
    return arranged(spec, ports, counts, lambda name, index: arrays[name][index], at)


def _none(name: str, index: int) -> np.ndarray:
    raise AssertionError("nothing is read yet")


def _count(array: np.ndarray) -> int | None:
    return len(array) if array.ndim else None


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    """One member. Its header must say what is there, before anything is made of that size."""
    raw = archive.read(entry)
    stream = io.BytesIO(raw)
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError(f"`{entry.filename}` is of the version {version}")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(stream, max_header_size=_HEADER)
    if dtype.hasobject:
        raise ValueError(f"`{entry.filename}` holds Python objects, which would have to run")
    if any(n < 0 for n in shape) or prod(shape) * dtype.itemsize != len(raw) - stream.tell():
        raise ValueError(f"`{entry.filename}` has another size than its header says")
    flat = np.frombuffer(raw, dtype, offset=stream.tell())
    array = flat.reshape(shape[::-1]).transpose() if fortran else flat.reshape(shape)
    return np.ascontiguousarray(array).astype(dtype.newbyteorder("="), copy=False).reshape(shape)

"""arrays: one array of a file, read block by block, so that no file is larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import IO

import numpy as np

from qflow.emulation.record import Damaged

BLOCK = 1 << 22
"""Bytes that are read at once."""
MOST_BYTES = 1 << 36
"""Of one array; a file that claims more is not believed."""
MOST_DIMENSIONS = 32
BFLOAT16 = "bfloat16"


@dataclass(frozen=True)
class Array:
    """An array that was not read yet."""

    dtype: str
    """As NumPy calls it, or bfloat16."""
    shape: tuple[int, ...]
    blocks: Callable[[], Iterator[np.ndarray]]
    """Its values from first to last, flat. Raises Damaged, OSError."""

    @property
    def is_whole(self) -> bool:
        """Whether it holds integers."""
        return np.dtype(self.dtype).kind in "iu" if self.dtype != BFLOAT16 else False


def size_of(dtype: str, shape: tuple[int, ...], name: str) -> int:
    """Bytes of an array. Raises Damaged for a size nobody has."""
    if len(shape) > MOST_DIMENSIONS or any(type(n) is not int or n < 0 for n in shape):
        raise Damaged(f"the shape of `{name}` is none")
    found = prod(shape) * (2 if dtype == BFLOAT16 else np.dtype(dtype).itemsize)
    if found > MOST_BYTES:
        raise Damaged(f"`{name}` claims {found:,} bytes")
    return found


def blocks_of(file: IO[bytes], dtype: str, size: int, name: str) -> Iterator[np.ndarray]:
    """`size` bytes of a file as flat arrays. Raises Damaged where it ends before."""
    while size:
        data = file.read(min(BLOCK, size))
        if len(data) != min(BLOCK, size):
            raise Damaged(f"it ends within `{name}`")
        size -= len(data)
        yield _decoded(data, dtype)


def _decoded(data: bytes, dtype: str) -> np.ndarray:
    if dtype != BFLOAT16:
        return np.frombuffer(data, np.dtype(dtype).newbyteorder("<"))
    return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)

"""counts: how many values lie in each bin of a histogram around zero, added to those before.

The same pass sees how large they are, and whether they are finite.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import get_ident

import numpy as np
import torch
from numba import njit
from torch import Tensor

from qflow.loops import team
from qflow.loops.frame import (
    Loop,
    float32_at,
    int32_at,
    int64_at,
    integer_at,
    share,
    thread,
    wait_for_all,
)
from qflow.loops.ordered import HIGHEST, LOWEST, ends, float_of

BLOCK = 1024
"""Values whose bins are found before they are counted: only then that is done several at once."""


@njit
def _places(values, factor, bins, places):
    zeros, last = np.int32(0), np.uint32(2 * bins - 1)
    for i in range(values.size):
        below = np.int32(values[i] < 0)
        place = np.int32(np.int32(np.int32(values[i] * factor) - below) + bins)
        # a value beyond the top, which is found out later, must not be counted beyond the table
        places[i] = np.uint32(np.uint32(place) & last)
        zeros = np.int32(zeros + np.int32(values[i] == 0))
    return zeros


@njit
def _count(places, even, odd):
    # in two tables: counting the same bin twice in a row waits for the first time
    half = places.size // 2
    first, second = places[:half], places[half : 2 * half]
    for i in range(half):
        even[first[i]] += 1
        odd[second[i]] += 1
    if places.size % 2:
        even[places[places.size - 1]] += 1


@njit
def _add(tables, before, after, inside, first, last):
    """Tables onto what was before, from one bin to another; they are emptied in any case."""
    size = after.size
    if inside:
        for i in range(first, last):
            after[i] = before[i]
    for table in range(tables.size // size):
        some = tables[table * size :][:size]
        for i in range(first, last):
            if inside:
                after[i] += some[i]
            some[i] = 0


@Loop
def _counts(frame):
    values, bits = float32_at(frame, 0), int32_at(frame, 0)
    factor, bins = float32_at(frame, 1)[0], integer_at(frame, 2)
    tables, zeros, keys = int32_at(frame, 3), int64_at(frame, 4), int32_at(frame, 5)
    before, after, top = int64_at(frame, 6), int64_at(frame, 7), integer_at(frame, 8)
    own, size = thread(), 2 * bins
    even, odd = tables[2 * own * size :][:size], tables[(2 * own + 1) * size :][:size]
    places = np.empty(BLOCK, np.uint32)
    found, low, high = np.int64(0), np.int32(HIGHEST), np.int32(LOWEST)
    first, last = share(values.size)
    for start in range(first, last, BLOCK):
        stop = min(last, start + BLOCK)
        low, high = ends(bits[start:stop], low, high)
        some = places[: stop - start]
        found += _places(values[start:stop], factor, np.int32(bins), some)
        _count(some, even, odd)
    zeros[own], keys[2 * own], keys[2 * own + 1] = found, low, high
    wait_for_all()
    inside = -top - 1 < keys[::2].min() and keys[1::2].max() < top
    first, last = share(size)
    _add(tables, before, after, inside, first, last)
    if first <= bins < last:
        after[bins] -= zeros.sum()


@dataclass(frozen=True)
class Counted:
    counts: Tensor
    """int64 [1, 2 * bins]: those before and those of the values."""
    zeros: int
    """Values that are zero, which are in no bin."""
    largest: float
    """The largest magnitude."""


def counts(values: Tensor, top: float, before: Tensor) -> Counted | None:
    """`before`, int64 [1, 2 * bins], with how many values lie in each bin added, of which `bins`
    reach from 0 to `top`, and as many to its negative. None where a value does not lie below `top`
    in magnitude, infinities and NaN among them.

    values: float32, dense, not empty, fewer than 2^31; `bins` and `top` are powers of two.
    """
    work, bins = values.numel(), before.shape[1] // 2
    threads = team.size(work)
    scratch = _scratch(2 * bins, threads, get_ident())
    scratch.factor[0] = bins / top
    zeros, keys = scratch.zeros, scratch.keys
    # OpenMP may give fewer threads than it is asked for: what those left behind must not count
    zeros.fill(0)
    keys[::2], keys[1::2] = HIGHEST, LOWEST
    after = torch.empty_like(before)
    with np.errstate(over="ignore"):  # 2^128 is infinite, and all that is finite lies below
        bound = int(np.float32(top).view(np.int32))
    _counts(
        work, values, scratch.factor, bins, scratch.tables, zeros, keys, before, after, bound
    )  # fmt: skip
    low, high = float_of(keys[::2].min()), float_of(keys[1::2].max())
    if not (-top < low and high < top):
        return None
    return Counted(after, int(zeros.sum()), max(high, -low))


@dataclass(frozen=True)
class _Scratch:
    tables: np.ndarray
    """int32: two per thread of a team, zero between calls."""
    zeros: np.ndarray
    """int64: of each thread."""
    keys: np.ndarray
    """int32: the lowest and the highest key of each thread."""
    factor: np.ndarray
    """float32 [1]"""


@lru_cache(maxsize=16)
def _scratch(size: int, threads: int, caller: int) -> _Scratch:
    """Each caller, a thread of Python, has its own."""
    tables, keys = (np.zeros(2 * threads * n, np.int32) for n in (size, 1))
    return _Scratch(tables, np.zeros(threads, np.int64), keys, np.zeros(1, np.float32))

"""counts: how many values lie in each bin of a histogram around zero, added to those before."""

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
)

BLOCK = 1024
"""Values whose bins are found before they are counted: only then that is done several at once."""


@njit
def _places(values, factor, bins, places):
    zeros = np.int64(0)
    for i in range(values.size):
        below = np.int32(values[i] < 0)
        place = np.int32(values[i] * factor) - below + bins
        # values beyond the extremes that a caller told must not be counted elsewhere in memory
        places[i] = np.uint32(place) & np.uint32(2 * bins - 1)
        zeros += values[i] == 0
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


@Loop
def _counts(frame):
    values, factor, bins = float32_at(frame, 0), float32_at(frame, 1)[0], integer_at(frame, 2)
    tables, zeros, size = int32_at(frame, 3), int64_at(frame, 4), 2 * bins
    own = thread()
    even, odd = tables[2 * own * size :][:size], tables[(2 * own + 1) * size :][:size]
    places = np.empty(BLOCK, np.uint32)
    found = np.int64(0)
    first, last = share(values.size)
    for start in range(first, last, BLOCK):
        some = values[start : min(last, start + BLOCK)]
        found += _places(some, factor, np.int32(bins), places[: some.size])
        _count(places[: some.size], even, odd)
    zeros[own] = found


@Loop
def _total(frame):
    tables, zeros = int32_at(frame, 0), int64_at(frame, 1)
    before, after = int64_at(frame, 2), int64_at(frame, 3)
    size, found = after.size, zeros[:-1].sum()
    after[:] = before
    for table in range(tables.size // size):
        some = tables[table * size :][:size]
        for i in range(size):
            after[i] += some[i]
            some[i] = 0
    after[size // 2] -= found
    zeros[-1] = found


def counts(values: Tensor, factor: float, before: Tensor) -> tuple[Tensor, int]:
    """`before`, int64 [1, 2 * bins], with how many values lie in each bin added, and how many are
    zero, which are in none. A value lies in bin `floor(value factor) + bins`, one below zero in bin
    `ceil(value factor) - 1 + bins`.

    values: float32, dense, finite, magnitude times `factor` below `bins`, which is a power of two;
    fewer than 2^31.
    """
    work, bins = values.numel(), before.shape[1] // 2
    threads = team.size(work)
    scratch = _scratch(2 * bins, threads, get_ident())
    scratch.factor[0] = factor
    _counts(work, values, scratch.factor, bins, scratch.tables, scratch.zeros)
    after = torch.empty_like(before)
    # adding up some thousand numbers is done before other threads have started
    _total(0, scratch.tables, scratch.zeros, before, after)
    return after, int(scratch.zeros[-1])


@dataclass(frozen=True)
class _Scratch:
    tables: np.ndarray
    """int32: two per thread of a team, zero between calls."""
    zeros: np.ndarray
    """int64: per thread, and of all."""
    factor: np.ndarray
    """float32 [1]"""


@lru_cache(maxsize=16)
def _scratch(size: int, threads: int, caller: int) -> _Scratch:
    """Each caller, a thread of Python, has its own."""
    tables = np.zeros(2 * threads * size, np.int32)
    return _Scratch(tables, np.zeros(threads + 1, np.int64), np.zeros(1, np.float32))

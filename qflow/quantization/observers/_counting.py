"""Counting: which bin of a histogram each value lies in, and how many lie in each."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from qflow import loops

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    Values = np.ndarray[Any, Any]

AT_ONCE = 1 << 18
"""Values counted at a time on a CPU: what is computed of them stays in its caches."""
IN_A_WORKER = (1 << 15) - 1
"""Values that torch counts at a time in a thread of ours: so few that it starts none of its own."""
LEAST_SHARE = 1 << 16
"""Values that are worth a thread."""
MOST_WORKERS = 8
"""More would wait for each other between the pieces."""
MOST_VALUES = 1 << 31
"""Counted in int32 by compiled loops."""
MOST_BINS = 1 << 14
"""Indices of so many bins per side fit into int16."""


def counted(x: Tensor, exponent: Tensor, bins: int, signed: bool) -> tuple[Tensor, Tensor]:
    """Counts int64 [C, 2 * bins] without exact zeros, and these, int64 [C], of a batch [C, N].

    All magnitudes lie below 2 ** `exponent`, int64 [C]; `signed`: whether any value is below zero.
    """
    import torch

    if not in_one(x, bins):
        return _at_once(x, exponent, bins)
    counts, zeros = counted_in_one(x, int(exponent), bins, signed)
    return torch.from_numpy(counts)[None], torch.tensor([zeros])


def in_one(x: Tensor, bins: int) -> bool:
    """Whether `counted_in_one` takes a batch [C, N]."""
    return x.is_cpu and x.shape[0] == 1 and bins <= MOST_BINS


def in_one_pass(x: Tensor, bins: int) -> bool:
    """Whether compiled loops count a batch [C, N]."""
    import torch

    narrow = x.dtype == torch.float32 and x.is_contiguous() and x.numel() < MOST_VALUES
    return narrow and in_one(x, bins) and loops.is_there()


def indices(x: Tensor, exponent: Tensor, bins: int) -> Tensor:
    """int32 [C, N]: the bin of each value in a flat [C * 2 * bins]; a zero lies in bin `bins`."""
    import torch

    # a power of two: the product is exact, and truncation gives the bin of the magnitude
    factor = torch.ldexp(torch.full_like(exponent, bins, dtype=x.dtype), -exponent)
    index = (x * factor[:, None]).to(torch.int32)
    index -= (x < 0).to(torch.int32)
    channel = torch.arange(x.shape[0], device=x.device, dtype=torch.int32)
    return index.add_(bins + 2 * bins * channel[:, None])


def _at_once(x: Tensor, exponent: Tensor, bins: int) -> tuple[Tensor, Tensor]:
    import torch

    channels = x.shape[0]
    index = indices(x, exponent, bins)
    counts = torch.bincount(index.flatten(), minlength=2 * bins * channels)
    counts = counts.reshape(channels, 2 * bins)
    zeros = (x == 0).sum(dim=1)
    counts[:, bins] -= zeros
    return counts, zeros


@dataclass(frozen=True)
class _Tally:
    """What some of the values came to."""

    slots: Values
    """int64: counts of truncated values; [2 * bins] with zero at `bins` if signed, else [bins]."""
    below: int
    """Values below zero."""
    zeros: int


def counted_in_one(
    x: Tensor, exponent: int, bins: int, signed: bool, touches: bool = True
) -> tuple[Values, int]:
    """`counted` of one channel [1, N], as int64 [2 * bins] and a number: in fewer passes.

    `touches`: whether any value may be zero. Truncation puts the two bins beside zero and the zeros
    into one slot; how many values lie below zero, and how many at it, says how that is shared out.
    Counting runs on one thread: of several, each counts its share.
    """
    import numpy as np
    import torch

    values = x.numpy()[0]
    factor = values.dtype.type(math.ldexp(bins, -exponent))
    tally = partial(_tallied, factor=factor, bins=bins, signed=signed, touches=touches)
    workers = min(torch.get_num_threads(), MOST_WORKERS, len(values) // LEAST_SHARE)
    if workers < 2:
        tallies = [tally(values, len(values))]
    else:
        first, *others = np.array_split(values, workers)
        running = [_threads(workers - 1).submit(tally, v, IN_A_WORKER) for v in others]
        tallies = [tally(first, IN_A_WORKER), *(r.result() for r in running)]
    slots = tallies[0].slots if len(tallies) == 1 else np.sum([t.slots for t in tallies], axis=0)
    below, zeros = sum(t.below for t in tallies), sum(t.zeros for t in tallies)
    if not signed:
        slots[0] -= zeros
        return np.concatenate([np.zeros(bins, np.int64), slots]), zeros
    counts = np.empty(2 * bins, np.int64)
    counts[: bins - 1], counts[bins + 1 :] = slots[1:bins], slots[bins + 1 :]
    counts[bins - 1] = below - slots[1:bins].sum()
    counts[bins] = slots[bins] - counts[bins - 1] - zeros
    return counts, zeros


def _tallied(
    values: Values, size: int, *, factor: float, bins: int, signed: bool, touches: bool
) -> _Tally:
    """Of values [N], in pieces; torch counts `size` of them at a time."""
    import numpy as np
    import torch

    most = min(len(values), AT_ONCE)
    scaled = np.empty(most, values.dtype)
    index, flag = np.empty(most, np.int16), np.empty(most, np.bool_)
    slots = np.zeros(2 * bins, np.int64)
    below = zeros = 0
    for start in range(0, len(values), AT_ONCE):
        piece = values[start : start + AT_ONCE]
        real, whole, found = (a[: len(piece)] for a in (scaled, index, flag))
        np.multiply(piece, factor, out=real)
        np.copyto(whole, real, casting="unsafe")
        if signed:
            whole += bins
            below += int(np.count_nonzero(np.less(piece, 0, out=found)))
        elif touches:
            whole += _in_turns(bins, AT_ONCE)[: len(piece)]
        if touches:
            zeros += int(np.count_nonzero(np.equal(piece, 0, out=found)))
        for first in range(0, len(piece), size):
            some = torch.from_numpy(whole[first : first + size])
            slots += torch.bincount(some, minlength=2 * bins).numpy()
    if not signed:
        slots = slots[:bins] + slots[bins:]
    return _Tally(slots, below, zeros)


@cache
def _in_turns(bins: int, length: int) -> Values:
    """0, `bins`, 0, `bins`, ... in int16 [length]: added, values are counted in two tables.

    Counting the same slot twice in a row has to wait for the first time, and after a relu zeros
    stand side by side.
    """
    import numpy as np

    return np.resize(np.array([0, bins], np.int16), length)


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    """Threads that are started once: starting them takes as long as counting a small tensor."""
    return ThreadPoolExecutor(count, thread_name_prefix="qflow-counting")


if hasattr(os, "register_at_fork"):
    # the threads do not live on in a forked process
    os.register_at_fork(after_in_child=_threads.cache_clear)

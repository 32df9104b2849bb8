"""Counting: which bin of a histogram each value lies in, and how many lie in each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

AT_ONCE = 1 << 20
"""Values counted at a time on a CPU: what is computed of them stays in its caches."""
IN_A_WORKER = (1 << 15) - 1
"""The same in a thread of ours: so few that torch starts no threads of its own for them."""
LEAST_SHARE = 1 << 18
"""Values that are worth a thread."""
MOST_WORKERS = 8
"""More would wait for each other between the pieces."""
MOST_BINS = 1 << 14
"""Indices of so many bins per side fit into int16."""


def counted(x: Tensor, exponent: Tensor, bins: int, signed: bool) -> tuple[Tensor, Tensor]:
    """Counts int64 [C, 2 * bins] without exact zeros, and these, int64 [C], of a batch [C, N].

    All magnitudes lie below 2 ** `exponent`, int64 [C]; `signed`: whether any value is below zero.
    """
    if x.is_cpu and x.shape[0] == 1 and bins <= MOST_BINS:
        return _in_pieces(x[0], int(exponent), bins, signed)
    return _at_once(x, exponent, bins)


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


def _in_pieces(x: Tensor, exponent: int, bins: int, signed: bool) -> tuple[Tensor, Tensor]:
    """The same of one channel [N], in fewer passes and without memory for all of it.

    Truncation puts the two bins beside zero into one; the signs of all values, added up, say how
    its values are shared out. `bincount` runs on one thread: of several, each counts its share.
    """
    import torch

    factor = torch.ldexp(torch.tensor(float(bins), dtype=x.dtype), torch.tensor(-exponent))
    workers = min(torch.get_num_threads(), MOST_WORKERS, x.numel() // LEAST_SHARE)
    if workers < 2:
        parts = [_slots(x, AT_ONCE, factor, bins, signed)]
    else:
        count = partial(_slots, size=IN_A_WORKER, factor=factor, bins=bins, signed=signed)
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(count, x.chunk(workers)))
    slots = torch.stack([part for part, _, _ in parts]).sum(0)
    difference, both = (sum(part[i] for part in parts) for i in (1, 2))
    above, below = (both + difference) // 2, (both - difference) // 2
    counts = torch.zeros(1, 2 * bins, dtype=torch.int64)
    start = bins if signed else 0
    right = slots[start + 1 : start + bins]
    counts[0, bins + 1 :] = right
    counts[0, bins] = above - int(right.sum())
    if signed:
        left = slots[1:bins]
        counts[0, : bins - 1] = left
        counts[0, bins - 1] = below - int(left.sum())
    return counts, torch.tensor([x.numel() - both])


def _slots(
    x: Tensor, size: int, factor: Tensor, bins: int, signed: bool
) -> tuple[Tensor, int, int]:
    """Counts int64 [2 * bins] of truncated values; how many lie above zero less those below; and
    how many lie on either side. Pieces of `size` at a time."""
    import torch

    scaled = x.new_empty(min(x.numel(), size))
    index = torch.empty(scaled.shape, dtype=torch.int16)
    slots = torch.zeros(2 * bins, dtype=torch.int64)
    difference = both = 0
    for piece in x.split(size):
        real, whole = scaled[: piece.numel()], index[: piece.numel()]
        torch.mul(piece, factor, out=real)
        whole.copy_(real)
        if signed:
            whole += bins
        slots += torch.bincount(whole, minlength=2 * bins)
        torch.sign(piece, out=real)
        # sums of -1, 0 and 1, far below 2 ** 24: exact
        above_less_below = int(real.sum())
        difference += above_less_below
        both += int(real.abs_().sum()) if signed else above_less_below
    return slots, difference, both

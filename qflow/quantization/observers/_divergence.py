"""Divergence: the search that `kl`, `symmetric_kl` and `jsd` share, told in `kl`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observers import _histogram

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid
    from qflow.quantization.observers._histogram import Counts

ROWS = 64
"""Candidates judged at once: 2 MB per table of 4096 bins."""

Divergence = Callable[["Tensor", "Tensor"], "Tensor"]
"""P and Q, float64 [K, bins], to the divergence of each row, [K]."""


@dataclass(frozen=True)
class Nearest(_histogram.Counting):
    """An observer whose range is that of lowest `divergence`, one range per tensor."""

    per_channel = False

    bins: int = 4096
    """Bins from zero to the top, a power of two; each range is whole groups of 128 for int8."""

    def __post_init__(self) -> None:
        _histogram.check_bins(self.bins)

    def divergence(self, p: Tensor, q: Tensor) -> Tensor:
        """P and Q, float64 [K, bins], to the divergence of each row, [K]."""
        raise NotImplementedError

    def range(self, state: Counts, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        return find(state, grid, self.divergence)


def log10(share: Tensor) -> Tensor:
    """Logarithm of a share; the toolchain's guard against none."""
    return (share + 1e-30).log10()


def relative_entropy(p: Tensor, q: Tensor) -> Tensor:
    """KL(P, Q), base 10."""
    return (p * (log10(p) - log10(q))).sum(dim=1)


def find(state: Counts, grid: ObserverGrid, divergence: Divergence) -> tuple[Tensor, Tensor]:
    """The symmetric range of lowest divergence, per channel."""
    import torch

    highs = []
    for channel, largest in zip(_histogram.magnitudes(state), state.largest, strict=True):
        groups = best(channel.double(), -grid.qmin, divergence)
        highs.append(largest.new_tensor(groups * -grid.qmin))
    high = torch.stack(highs) * state.width
    # no range within the bins, or wider than all there is
    high = high.where(high > 0, state.largest).minimum(state.largest)
    return -high, high


def best(counts: Tensor, steps: int, divergence: Divergence) -> int:
    """How many bins make a group in the best range, which is `steps` groups wide; 0: none fits.

    `counts` are float64 whole numbers [bins]; ranges that the widest value does not reach are not
    tried.
    """
    import torch

    used = int(counts.nonzero().max()) + 1 if counts.any() else 0
    groups = -(-used // steps)
    width = groups * steps
    if not groups or width > counts.numel():
        return 0
    counts = counts[:width]
    found = [
        divergence(*pair(counts, steps, first, min(first + ROWS, groups)))
        for first in range(0, groups, ROWS)
    ]
    return int(torch.cat(found).argmin()) + 1


def pair(counts: Tensor, steps: int, first: int, last: int) -> tuple[Tensor, Tensor]:
    """P and Q of the ranges of `first + 1` to `last` bins per group: [last - first, bins]."""
    import torch

    position = torch.arange(counts.numel(), device=counts.device)
    size = torch.arange(first + 1, last + 1, device=counts.device)[:, None]
    inside = position < size * steps
    below = _before(counts)
    mass = below[size * steps]
    p = (counts * inside) / below[-1]
    p.scatter_add_(1, size * steps - 1, (below[-1] - mass) / below[-1])
    edges = size * torch.arange(steps + 1, device=counts.device)
    filled = _before((counts > 0).double())[edges].diff(dim=1).clamp_min(1)
    level = below[edges].diff(dim=1) / filled / mass.clamp_min(1)
    group = (position // size).clamp_max(steps - 1)
    q = level.gather(1, group) * (inside & (counts > 0))
    return p, q


def _before(values: Tensor) -> Tensor:
    """Sums of the first 0, 1, 2, ... values."""
    import torch

    return torch.cat([values.new_zeros(1), values.cumsum(0)])

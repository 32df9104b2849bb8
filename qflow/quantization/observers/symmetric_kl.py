"""symmetric_kl: as `kl`, by the divergence of each from the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observers import _histogram
from qflow.quantization.observers._divergence import find, relative_entropy
from qflow.quantization.observers._histogram import Counting, Counts

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid


@dataclass(frozen=True)
class SymmetricKl(Counting):
    """KL(P, Q) + KL(Q, P).

    Known by name from the older calibration tool, whose code is not public; the search, P and Q are
    those of `kl`. For activations: one range per tensor.
    """

    per_channel = False

    bins: int = 4096
    """Bins from zero to the top, a power of two; each range is whole groups of 128 for int8."""

    def __post_init__(self) -> None:
        _histogram.check_bins(self.bins)

    def range(self, state: Counts, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        return find(state, grid, divergence)


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL(P, Q) + KL(Q, P), of each row."""
    return relative_entropy(p, q) + relative_entropy(q, p)

"""kl: the range whose quantized distribution is nearest to the data's, by KL divergence."""

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
class Kl(Counting):
    """KL(P, Q) = sum of P * (log10 P - log10 Q). `_divergence` tells the search.

    The toolchain (`bins=512`) searches anew every `update_interval` forwards and averages; here one
    search over all batches, so that there is always a result. For activations: one range per
    tensor.
    """

    per_channel = False

    bins: int = 4096
    """Bins from zero to the top, a power of two; each range is whole groups of 128 for int8."""

    def __post_init__(self) -> None:
        _histogram.check_bins(self.bins)

    def range(self, state: Counts, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        return find(state, grid, relative_entropy)

"""histogram: keeps a histogram, and reads the range from it by any method that needs no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow import registry
from qflow.quantization.observers._histogram import Counting, Counts

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid

KIND = "quantization.observers"


@dataclass(frozen=True)
class Histogram(Counting):
    """The method may be changed later without new data, see `HistogramObserver.reset_scale`.

    Methods are the observers whose state is a histogram: `percentile`, `mse`, `mix`, `kl`,
    `symmetric_kl`, `jsd`; each finds what it finds as an observer of its own with as many bins.
    """

    method: str = "mse"
    """The observer that reads the histogram."""
    percentile: float = 99.99
    """In percent, for the method of that name."""
    bins: int = 2048
    """Bins from zero to the top, a power of two."""

    def __post_init__(self) -> None:
        if self.method not in methods():
            raise ValueError(f"it must be one of {', '.join(methods())}, not {self.method}")
        self._reader()

    @property
    def per_channel(self) -> bool:
        """As the method."""
        return bool(self._reader().per_channel)

    def range(self, state: Counts, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        return self._reader().range(state, grid)

    def _reader(self) -> Counting:
        settings = {"percentile": self.percentile} if self.method == "percentile" else {}
        made: Counting = registry.load(KIND, self.method)(bins=self.bins, **settings)
        return made


def methods() -> tuple[str, ...]:
    """Names of the observers that read a histogram, this one left out."""
    names = (n for n in registry.names(KIND) if n != "histogram")
    return tuple(n for n in names if issubclass(registry.load(KIND, n), Counting))

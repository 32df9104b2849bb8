"""sophgo: the threshold that the Sophgo calibrator finds, by each of its six methods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qflow.quantization.observer import Observer
from qflow.quantization.observers._sophgo.growing import NearestKl
from qflow.quantization.observers._sophgo.samples import Mean, gauss, laplace, octav
from qflow.quantization.observers._sophgo.tails import LEAST_PERCENT, Percentile
from qflow.quantization.observers.min_max import MinMax

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid
    from qflow.quantization.place import Place

METHODS = ("max", "percentile9999", "mse", "aciq_gauss", "aciq_laplace", "kl")
PLACES = ("", "input", "inside", "tail")
LAST_PERCENT = 99.999999
"""Where the percentile would be behind the last tensor."""
LEAST = 1e-5
"""No threshold is smaller, or unknown."""
_SAMPLES = {"mse": octav, "aciq_gauss": gauss, "aciq_laplace": laplace}


@dataclass(frozen=True)
class Sophgo(Observer):
    """As `run_calibration --tune_num 0` of TPU-MLIR 1.30.2; a batch here is a sample there.

    `max`: the largest magnitude. `percentile9999`: what the percentiles of both tails reach, at
    99.99 for the first tensor and nearer to 100 with each one after it. `mse`, `aciq_gauss`,
    `aciq_laplace`: a threshold for each sample, averaged, at most the largest magnitude; but inputs
    of the network take the largest magnitude, and its tail (the last tensors, at most five, back to
    a convolution or matrix product) takes the percentile. `kl`: see `_sophgo.growing`.

    Where a tensor lies in the network `prepare` says; outside of it, and to have it otherwise, set
    `place` and `percent`. The order of samples matters to `kl`; `calibrators.sophgo.visit_order` is
    theirs. The range begins at zero or above where no value was below, as their unsigned grids ask.
    For activations: one range per tensor.
    """

    order_free = False
    per_channel = False

    method: str = "kl"
    """max, percentile9999, mse, aciq_gauss, aciq_laplace or kl."""
    place: str = ""
    """input, inside or tail; empty: as the network says."""
    percent: float = 0.0
    """The percentile, from 99.99 to 100, of those who take one; 0: as the network says."""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"it must be one of {', '.join(METHODS)}, not {self.method}")
        if self.place not in PLACES:
            raise ValueError(f"it must be one of {', '.join(PLACES[1:])}, not {self.place}")
        if self.percent and not LEAST_PERCENT <= self.percent <= 100:
            raise ValueError(f"it lies in {LEAST_PERCENT}..100, not at {self.percent}")

    def placed(self, place: Place) -> Sophgo:
        """Told where its tensor lies; what was set by hand stays."""
        share = (LAST_PERCENT - LEAST_PERCENT) * place.index / place.count
        kind = "input" if place.is_input else "tail" if place.is_tail else "inside"
        return replace(
            self, place=self.place or kind, percent=self.percent or LEAST_PERCENT + share
        )

    def start(self, channels: int) -> Any:
        return self._method.start(channels)

    def observe(self, state: Any, x: Tensor) -> Any:
        return self._method.observe(state, x)

    def merge(self, a: Any, b: Any) -> Any:
        """For `kl` to within a bin: those of `b` have another width."""
        return self._method.merge(a, b)

    def range(self, state: Any, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        import torch

        low, high = self._method.range(state, grid)
        known = high.maximum(-low) > LEAST
        least = torch.full_like(high, LEAST)
        # a threshold of zero keeps its sign
        below = (-least).where(low.signbit(), torch.zeros_like(low))
        return low.where(known, below), high.where(known, least)

    @property
    def _method(self) -> Any:
        if self.method == "kl":
            return NearestKl()
        percent = self.percent or LEAST_PERCENT
        if self.method == "percentile9999":
            return Percentile(percent)
        if self.method == "max" or self.place == "input":
            return MinMax()
        return Percentile(percent) if self.place == "tail" else Mean(_SAMPLES[self.method])

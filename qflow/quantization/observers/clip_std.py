"""clip_std: the mean and so many standard deviations on both sides of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observer import Observer, State, extremes

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.grid import ObserverGrid


@dataclass(frozen=True, eq=False)
class Moments(State):
    count: Tensor
    """int64 [C]."""
    mean: Tensor
    """float64 [C]."""
    squares: Tensor
    """float64 [C]: summed squares of the distances from the mean."""
    low: Tensor
    """float64 [C], as `high`: the extremes."""
    high: Tensor


@dataclass(frozen=True)
class ClipStd(Observer):
    """mean - k * std .. mean + k * std, never beyond the data; std divides by n.

    The toolchain names it and does not document it; its moments would be those of a batch, averaged
    over batches, and here they are those of all values. They are merged by the formula of Chan et
    al. 1979, which is exact but for the last bits of float64.
    """

    rounding_error = 1e-12

    std_scale: float = 2.6
    """The factor k."""

    def __post_init__(self) -> None:
        if not 0 < self.std_scale < float("inf"):
            raise ValueError(f"it must be finite and above 0, not {self.std_scale}")

    def start(self, channels: int) -> Moments:
        import torch

        zeros = torch.zeros(channels, dtype=torch.float64)
        return Moments(
            torch.zeros(channels, dtype=torch.int64),
            zeros,
            zeros,
            zeros + torch.inf,
            zeros - torch.inf,
        )

    def observe(self, state: Moments, x: Tensor) -> Moments:
        import torch

        low, high = (v.double() for v in extremes(x))
        mean = x.double().mean(dim=1)
        squares = (x.double() - mean[:, None]).square().sum(dim=1)
        count = torch.full_like(state.count, x.shape[1])
        return self.merge(state, Moments(count, mean, squares, low, high))

    def merge(self, a: Moments, b: Moments) -> Moments:
        count = a.count + b.count
        share = b.count / count.clamp_min(1).double()
        apart = b.mean - a.mean
        return Moments(
            count,
            # the mean of nothing is nothing: b alone must come out as b, bit for bit
            (a.mean + apart * share).where(a.count > 0, b.mean),
            a.squares + b.squares + apart.square() * share * a.count,
            a.low.minimum(b.low),
            a.high.maximum(b.high),
        )

    def range(self, state: Moments, grid: ObserverGrid) -> tuple[Tensor, Tensor]:
        reach = self.std_scale * (state.squares / state.count).sqrt()
        low = (state.mean - reach).maximum(state.low)
        high = (state.mean + reach).minimum(state.high)
        return low, high

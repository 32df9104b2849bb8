"""Error: what a range costs a histogram: squared error of quantizing, per bin, in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def costs(bins: int, high: Tensor, qmin: int, qmax: int, divisor: float) -> Tensor:
    """Mean squared error of a value in each bin under the range `high` [K, 1]: [K, 2 * bins]."""
    import torch

    edges = torch.arange(bins + 1, device=high.device, dtype=torch.float64)
    # a channel of zeros has no error at any scale; 1 keeps it from dividing by zero
    scale = (high / divisor).where(high > 0, torch.ones_like(high))
    right = _integral(edges, scale, qmax).diff(dim=-1)
    left = _integral(edges, scale, -qmin).diff(dim=-1)
    return torch.cat([left.flip(-1), right], dim=-1)


def _integral(edges: Tensor, scale: Tensor, limit: int) -> Tensor:
    """Squared error of quantizing, integrated from 0 to each edge, in closed form.

    The error runs from -scale/2 to scale/2 around each integer k, so every step below adds
    scale^3 / 12, and the rest r = x - k * scale adds r^3 / 3: behind the last integer as well,
    where the rest is what gets clipped.
    """
    steps = (edges / scale).round_().clamp_(max=limit)
    rest = edges - steps * scale
    return steps * (scale**3 / 12) + rest**3 / 3

"""rounding: float to integer as a march asks for it, and back, with a straight gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Round = Callable[[Tensor], Tensor]


def half_even(v: Tensor) -> Tensor:
    return v.round_()


def half_up(v: Tensor) -> Tensor:
    """floor(v + 0.5), in the arithmetic of `v`, as the field's older rounding mode does."""
    return v.add_(0.5).floor_()


def half_away(v: Tensor) -> Tensor:
    return v.abs().add_(0.5).floor_().copysign_(v)


ROUNDINGS: Mapping[str, Round] = {
    "half_even": half_even,
    "half_up": half_up,
    "half_away": half_away,
}
"""Words of a march; each may overwrite its argument."""


def fake_quantize(
    x: Tensor, scale: Tensor, qmin: int, qmax: int, round_: Round, overwrite: bool = False
) -> Tensor:
    """clamp(round(x / scale)) * scale with true division; `scale` broadcasts against `x`.

    `overwrite`: the result may take the place of `x`, where no gradient is asked for.

    The gradient passes where the rounded value lies on the grid and is zero where it saturates.
    `torch.fake_quantize_*` multiplies by 1 / scale, which moves ties, and is slower besides.
    """
    if torch.is_grad_enabled() and x.requires_grad:
        return _StraightThrough.apply(x, scale, qmin, qmax, round_)  # type: ignore[no-untyped-call,no-any-return]
    steps = x.div_(scale) if overwrite and x.dtype == scale.dtype else x / scale
    return round_(steps).clamp_(qmin, qmax).mul_(scale)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, qmin: int, qmax: int, round_: Round) -> Tensor:
        steps = round_(x / scale)
        if _has_edges(x, scale, qmax):
            # one number decides for a value, and the layer before keeps `x` most of the time anyway
            ctx.edges = edges(float(scale), qmin, qmax, round_)
            ctx.save_for_backward(x)
        else:
            ctx.edges = None
            ctx.save_for_backward((steps >= qmin).logical_and_(steps <= qmax))
        return steps.clamp_(qmin, qmax).mul_(scale)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (saved,) = ctx.saved_tensors
        if ctx.edges is None:
            passed = torch.where(saved, gradient, 0)
        else:
            passed = torch.ops.aten.hardtanh_backward(gradient, saved, *ctx.edges)
        return passed, None, None, None, None


MOST_STEPS = 1 << 16
"""Grids with larger integers have no edges here: their half steps are not exact in float32."""
NEAR = 8
"""An edge lies within so many float32 of (q + 1/2) * scale: three roundings, each half of one."""


def _has_edges(x: Tensor, scale: Tensor, qmax: int) -> bool:
    """On other devices a number would have to be waited for."""
    return x.is_cpu and x.dtype == torch.float32 and scale.numel() == 1 and qmax <= MOST_STEPS


@lru_cache(maxsize=4096)
def edges(scale: float, qmin: int, qmax: int, round_: Round) -> tuple[float, float]:
    """The float32 next to the grid: what lies strictly between them is rounded onto it.

    Division and rounding grow with their argument, so there is one edge on each side; found by
    trying the float32 around the half step beyond the last integer.
    """
    halves = torch.tensor([[qmin - 0.5], [qmax + 0.5]], dtype=torch.float64) * scale
    near = halves.float().view(torch.int32) + torch.arange(-NEAR, NEAR + 1, dtype=torch.int32)
    tried = near.view(torch.float32)
    # integers of float32 grow with the magnitude: outwards on both sides
    steps = round_(tried / torch.tensor(scale))
    inside = ((steps >= qmin) & (steps <= qmax)).sum(dim=1, keepdim=True)
    assert 0 < int(inside.min())
    assert int(inside.max()) < tried.shape[1]
    low, high = tried.gather(1, inside)[:, 0].tolist()
    return low, high

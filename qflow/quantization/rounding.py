"""rounding: float to integer as a march asks for it, and back, with a straight gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def fake_quantize(x: Tensor, scale: Tensor, qmin: int, qmax: int, round_: Round) -> Tensor:
    """clamp(round(x / scale)) * scale with true division; `scale` broadcasts against `x`.

    The gradient passes where the rounded value lies on the grid and is zero where it saturates.
    `torch.fake_quantize_*` multiplies by 1 / scale, which moves ties.
    """
    if torch.is_grad_enabled() and x.requires_grad:
        return _StraightThrough.apply(x, scale, qmin, qmax, round_)  # type: ignore[no-untyped-call,no-any-return]
    return round_(x / scale).clamp_(qmin, qmax).mul_(scale)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, qmin: int, qmax: int, round_: Round) -> Tensor:
        steps = round_(x / scale)
        ctx.save_for_backward((steps >= qmin) & (steps <= qmax))
        return steps.clamp_(qmin, qmax).mul_(scale)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (inside,) = ctx.saved_tensors
        return gradient * inside, None, None, None, None

"""Learned: a fake-quantizer whose scale is a parameter: what LSQ and PACT share.

Calibration sets the scale, as for any other; in training the observer rests and the optimizer moves
the scale. The state dict has the same names, so that either kind loads what the other saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.fake_quantize import SMALLEST_SCALE, FakeQuantize
from qflow.quantization.observer import Observer
from qflow.quantization.rounding import ROUNDINGS, Round


class Learned(FakeQuantize):
    """`scale` is an `nn.Parameter`, [1] or [channels].

    An optimizer may move it past zero: `tidy` brings it back before it is used in training, saved,
    or handed to another mode.
    Only the state QAT passes it a gradient, and only while it is not frozen. Raises QflowError
    QF410 for a given scale and for `fix_scale`: both say that nothing moves it.
    """

    scale: nn.Parameter
    inner_slope = False
    """Whether the rounding error inside the grid is part of the gradient."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.fixed is not None or self.fix_scale:
            raise fail(
                Diagnostic(
                    "QF410",
                    f"the scale of `{self.address}` is to be learned, and is not to move",
                    help="use the plain `fake_quant` for a scale that is given or kept",
                )
            )
        scale = self._buffers.pop("scale")
        assert scale is not None
        self.scale = nn.Parameter(scale)

    @property
    def learning(self) -> bool:
        """Whether the present state moves the scale by training."""
        return self.observing and self.quantizing and self.training and not self.frozen

    def begin(self, rows: Tensor) -> Tensor:
        """A scale to start from where there was no calibration: [C] from values [C, N]."""
        raise NotImplementedError

    def pace(self, x: Tensor) -> float:
        """What the gradient of the scale is multiplied by."""
        raise NotImplementedError

    def rescale(self, observer: Observer) -> None:
        super().rescale(observer)
        self.tidy()

    def take_over(self, state: Mapping[str, Tensor]) -> None:
        super().take_over(state)
        self.tidy()

    def freeze(self) -> None:
        super().freeze()
        self.scale.requires_grad_(False)

    def train(self, mode: bool = True) -> Learned:
        self.tidy()
        return super().train(mode)

    @torch.no_grad()
    def tidy(self) -> None:
        """The scale as calibration found it or training left it, above 0, and its range with it."""
        self.settle()
        self.scale.clamp_(min=SMALLEST_SCALE)
        if self._known and not torch.equal(self.scale, self._scale_of_range()):
            statistics = self.activation_post_process
            statistics.max_val.copy_(self.scale * self.grid.divisor)
            statistics.min_val.copy_(-statistics.max_val)
            statistics.restart()

    def quantized(self, x: Tensor, overwrite: bool = False) -> Tensor:
        if not self.learning:
            return super().quantized(x, overwrite)
        round_, pace = ROUNDINGS[self.rounding], self.pace(x)
        limits = (self.grid.qmin, self.grid.qmax)
        y: Tensor = _Steps.apply(x, self._shaped(x), *limits, round_, self.inner_slope, pace)  # type: ignore[no-untyped-call]
        return y

    def _shaped(self, x: Tensor) -> Tensor:
        shaped = super()._shaped(x)
        return shaped if self.learning else shaped.detach()

    @property
    def _held(self) -> bool:
        return super()._held or self.quantizing

    def _observe(self, x: Tensor) -> None:
        super()._observe(x)
        self.tidy()
        if self.learning and not self._known and x.numel():
            with torch.no_grad():
                self.scale.copy_(self.begin(self._rows(x).float()))
            self._known = True
            self.tidy()

    def _save_to_state_dict(self, *args: Any) -> None:
        self.tidy()
        super()._save_to_state_dict(*args)


class _Steps(torch.autograd.Function):
    """clamp(round(x / scale)) * scale.

    By the scale, per element: qmin or qmax where x / scale lies beyond; inside round(v) - v, where
    v = x / scale, or 0 without the inner slope. By x: 1 inside and 0 beyond.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        scale: Tensor,
        qmin: int,
        qmax: int,
        round_: Round,
        inner_slope: bool,
        pace: float,
    ) -> Tensor:
        v = x / scale
        steps = round_(v.clone()).clamp_(qmin, qmax)
        inside = (v > qmin) & (v < qmax)
        inner = steps - v if inner_slope else torch.zeros_like(v)
        ctx.save_for_backward(inside, inner.where(inside, v.clamp(qmin, qmax)))
        ctx.scale, ctx.pace = (scale.shape, scale.dtype), pace
        return steps * scale

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        inside, slope = ctx.saved_tensors
        shape, dtype = ctx.scale
        by_scale = (gradient * slope).sum_to_size(shape) * ctx.pace
        return gradient * inside, by_scale.to(dtype), None, None, None, None, None

"""FakeQuantize: observes a tensor and rounds it onto its integer grid, in float."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.dtype import DType, qint8
from qflow.quantization.factory import Factory, fake_quantize_of, tensor_plan
from qflow.quantization.grid import observer_grid
from qflow.quantization.observer import Observer
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.rounding import ROUNDINGS, fake_quantize
from qflow.quantization.statistics import Statistics, fit_buffer

__all__ = ["SMALLEST_SCALE", "Factory", "FakeQuantize", "fake_quantize_of", "tensor_plan"]

SMALLEST_SCALE = torch.finfo(torch.float32).tiny
"""Below it a float32 scale would lose bits or be zero."""


class FakeQuantize(nn.Module):
    """One tensor's grid: per tensor, or per channel along `axis`.

    Buffers `scale` (float32 ones) and `zero_point` (int64 zeros), [1] or [channels]; the child
    `activation_post_process` holds `min_val` and `max_val`. Whether a scale is known is a state of
    its own (`observed`): 1 is a legal scale. `divisor` and `rounding` are words of a march.
    """

    _version = 2
    """2 since the field rounds half to even."""

    scale: Tensor
    zero_point: Tensor

    def __init__(
        self,
        observer: Observer | None = None,
        dtype: DType = qint8,
        *,
        axis: int | None = None,
        channels: int = 1,
        divisor: str = "half_range",
        threshold_divisor: str = "minus_qmin",
        rounding: str = "half_even",
        address: str = "",
        follows: bool = False,
        fix_scale: bool = False,
    ) -> None:
        super().__init__()
        self.observer = observer or MinMax()
        self.dtype = dtype
        self.axis = axis
        self.grid = observer_grid(dtype, divisor)
        self._threshold_divisor = observer_grid(dtype, threshold_divisor).divisor
        self.rounding = rounding
        self.address = address
        """Whose tensor it is, for messages."""
        self.follows = follows
        """Measure each tensor anew, as for weights, instead of gathering statistics."""
        self.fix_scale = fix_scale
        """Training keeps the scale that calibration found."""
        self.frozen = False
        """Nothing moves the scale, whatever the state; see `freeze`."""
        self.observing = False
        self.quantizing = False
        self.activation_post_process = Statistics(self.observer, channels)
        self.register_buffer("scale", torch.ones(channels))
        self.register_buffer("zero_point", torch.zeros(channels, dtype=torch.int64))
        self._known = False
        if self.fixed is not None:
            self.scale.fill_(self.fixed)
            self._known = True

    @classmethod
    def with_args(cls, **settings: Any) -> Factory:
        """A factory with settings filled in: what a `QConfig` holds.

        `observer` is one of ours, its class, or one of `field_observers`; settings that are not of
        the fake-quantizer (`dtype`, `fix_scale`) are the observer's.
        """
        return Factory(cls, settings)

    @property
    def fixed(self) -> float | None:
        """The given scale, None when it is observed."""
        if not isinstance(self.observer, Fixed):
            return None
        return self.observer.step(self._threshold_divisor)

    @property
    def observed(self) -> bool:
        """Whether the scale is known: given, observed, or loaded with its range."""
        return self._known

    def freeze(self) -> None:
        """Keep the scale from moving in any state, calibration and training alike."""
        self.frozen = True

    def forward(self, x: Tensor) -> Tensor:
        """`x`, rounded onto the grid where the state says so.

        Observes only in training mode, as in the field. QF401 when there is no scale to round
        with, QF403 when a value to be observed is not finite.
        """
        if self.observing and self.training:
            self._observe(x.detach())
        if not self.quantizing:
            return x
        if not self._known:
            raise fail(
                Diagnostic(
                    "QF401",
                    f"`{self.address}` is to be quantized, but no data ever reached its observer",
                    help="run a calibration stage over it first",
                )
            )
        return self.quantized(x)

    def quantized(self, x: Tensor) -> Tensor:
        """`x` on the grid, whatever the state."""
        scale = self.scale if self.axis is None else self.scale.reshape(self._shape(x))
        round_ = ROUNDINGS[self.rounding]
        return fake_quantize(x, scale, self.grid.qmin, self.grid.qmax, round_)

    def extra_repr(self) -> str:
        axis = "" if self.axis is None else f", axis={self.axis}"
        state = "observed" if self._known else "not observed"
        return f"{self.dtype}{axis}, divisor={self.grid.divisor:g}, {self.rounding}, {state}"

    @torch.no_grad()
    def _observe(self, x: Tensor) -> None:
        if x.numel() == 0:
            return
        if not torch.isfinite(torch.stack(x.aminmax())).all():
            kind = "NaN" if torch.isnan(x).any() else "infinity"
            raise fail(
                Diagnostic(
                    "QF403",
                    f"{kind} reached the observer of `{self.address}`",
                    help="look for it in the input data and in the modules before this one",
                )
            )
        if self.fixed is not None or self.frozen or (self.fix_scale and self.quantizing):
            return
        rows = x.reshape(1, -1) if self.axis is None else x.movedim(self.axis, 0).flatten(1)
        statistics = self.activation_post_process
        take = statistics.measure if self.follows else statistics.observe
        take(rows if rows.dtype == torch.float64 else rows.float(), self.grid)
        self._find_scale()

    def _find_scale(self) -> None:
        """amax / divisor. A tensor or channel of zeros takes amax = 1: any scale fits it."""
        found = self.activation_post_process
        amax = found.max_val.abs().maximum(found.min_val.abs()).double()
        amax = amax.where(amax > 0, torch.ones_like(amax))
        self.scale.copy_((amax / self.grid.divisor).clamp_min(SMALLEST_SCALE))
        self._known = True

    def _shape(self, x: Tensor) -> list[int]:
        assert self.axis is not None
        return [-1 if d == self.axis % x.dim() else 1 for d in range(x.dim())]

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any
    ) -> None:
        errors = args[3]
        for flag in ("fake_quant_enabled", "observer_enabled"):
            # older checkpoints keep their states; ours are set by the stage
            state_dict.pop(prefix + flag, None)
        if (local_metadata.get("version") or self._version) < 2:
            errors.append(
                f"`{self.address}`: written for half-up rounding (FakeQuantize version 1)"
            )
        for name, buffer in self.named_buffers(recurse=False):
            fit_buffer(state_dict, prefix + name, buffer)
        zero_point = state_dict.get(prefix + "zero_point")
        if zero_point is not None and zero_point.any():
            errors.append(f"`{self.address}`: its zero point is not 0, but this grid is symmetric")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)
        if self.fixed is not None and not torch.all(self.scale == self.fixed):
            errors.append(f"`{self.address}`: its scale is fixed to {self.fixed}, not to this")
            self.scale.fill_(self.fixed)
        low, high = (
            state_dict.get(f"{prefix}activation_post_process.{n}_val") for n in ("min", "max")
        )
        if self.fixed is None and low is not None and high is not None:
            self._known = bool((low <= high).all())

"""FakeQuantize: observes a tensor and rounds it onto its integer grid, in float."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.dtype import DType, qint8
from qflow.quantization.factory import Factory, fake_quantize_of, tensor_plan
from qflow.quantization.grid import observer_grid
from qflow.quantization.observer import Observer, extremes
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.rounding import ROUNDINGS, fake_quantize
from qflow.quantization.statistics import Settling, Statistics, fit_buffer

__all__ = [
    "SMALLEST_SCALE",
    "Factory",
    "FakeQuantize",
    "fake_quantize_of",
    "set_rounding",
    "tensor_plan",
]

LOG = logging.getLogger("qflow")
SMALLEST_SCALE = torch.finfo(torch.float32).tiny
"""Below it a float32 scale would lose bits or be zero."""
LARGEST_VALUE = torch.finfo(torch.float32).max
"""The ends of a grid stay below it: a mask of the smallest float32 must not become infinity."""


class FakeQuantize(Settling):
    """One tensor's grid: per tensor, or per channel along `axis`.

    Buffers `scale` (float32 ones) and `zero_point` (int64 zeros), [1] or [channels]; the child
    `activation_post_process` holds `min_val` and `max_val`. Whether a scale is known is a state of
    its own (`observed`): 1 is a legal scale. Both divisors and `rounding` are words of a march.
    Raises QflowError QF410 for channels of an observer that is for whole tensors.
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
        if axis is not None and not self.observer.per_channel:
            raise fail(
                Diagnostic(
                    "QF410",
                    f"the observer of `{address}`, {self.observer!r}, is for whole tensors, "
                    "and not for channels",
                    help="use `min_max`, `mse` or `percentile`, or the scheme `per_tensor`",
                )
            )
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
        self.activation_post_process = Statistics(self.observer, channels, self.grid)
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

    def rescale(self, observer: Observer) -> None:
        """Find the scale anew from the statistics there are, by another observer, and go on by it.

        It must read the state that the present one gathers.
        """
        self.observer = observer
        self.activation_post_process.reread(observer)
        self._outdated = True

    def take_over(self, state: Mapping[str, Tensor]) -> None:
        """Go on from the statistics that another of the same observer gathered, by field."""
        self.activation_post_process.take_over(state)
        self._known = self._outdated = True

    def freeze(self) -> None:
        """Keep the scale from moving in any state, calibration and training alike."""
        self.frozen = True

    def forward(self, x: Tensor, overwrite: bool = False) -> Tensor:
        """`x`, rounded onto the grid where the state says so; with `overwrite` maybe in its place.

        Observes only in training mode, as in the field. QF401 when there is no scale to round
        with, QF403 when a value to be observed is not finite.
        """
        if self.observing and self.training:
            self._observe(x.detach() if x.requires_grad else x)
        elif self.observing and not self.quantizing and not self.frozen:
            raise fail(_stopped(self.address))
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
        return self.quantized(x, overwrite)

    def quantized(self, x: Tensor, overwrite: bool = False) -> Tensor:
        """`x` on the grid, whatever the state; with `overwrite` maybe in its place."""
        round_, grid = ROUNDINGS[self.rounding], self.grid
        return fake_quantize(x, self._shaped(x), grid.qmin, grid.qmax, round_, overwrite)

    def extra_repr(self) -> str:
        axis = "" if self.axis is None else f", axis={self.axis}"
        state = "observed" if self._known else "not observed"
        return f"{self.dtype}{axis}, divisor={self.grid.divisor:g}, {self.rounding}, {state}"

    @torch.no_grad()
    def _observe(self, x: Tensor) -> None:
        if x.numel() == 0:
            return
        rows, statistics = self._rows(x), self.activation_post_process
        if not self._held and statistics.observe_at_once(rows, anew=self.follows):
            vars(self).update(_outdated=True, _known=True)
            return
        low, high = extremes(rows)
        if not _finite(low, high):
            kind = "NaN" if torch.isnan(x).any() else "infinity"
            raise fail(
                Diagnostic(
                    "QF403",
                    f"{kind} reached the observer of `{self.address}`",
                    help="look for it in the input data and in the modules before this one",
                )
            )
        if self._held:
            return
        if self.follows:
            statistics.forget(rows.shape[0])
        statistics.observe(rows if rows.dtype == torch.float64 else rows.float(), low, high)
        # `nn.Module` looks long at what is set
        vars(self).update(_outdated=True, _known=True)

    @property
    def _held(self) -> bool:
        """Whether data does not change the scale in this state."""
        return self.fixed is not None or self.frozen or (self.fix_scale and self.quantizing)

    def _rows(self, x: Tensor) -> Tensor:
        """[C, N]; [1, N] per tensor. In the order of memory, so that no value has to move."""
        if self.axis is None and x.is_contiguous():
            return x.reshape(1, -1)
        by_stride = sorted(range(x.dim()), key=x.stride, reverse=True)
        if self.axis is None:
            return x.permute(by_stride).reshape(1, -1)
        axis = self.axis % x.dim()
        return x.permute(axis, *(d for d in by_stride if d != axis)).flatten(1)

    def _update(self) -> None:
        self.scale.copy_(self._scale_of_range())

    def _scale_of_range(self) -> Tensor:
        """amax / divisor. A tensor or channel of zeros takes amax = 1: any scale fits it."""
        steps = max(self.grid.qmax + 1, -self.grid.qmin)
        found = self.activation_post_process
        amax = found.max_val.abs().maximum(found.min_val.abs()).double()
        amax = amax.where(amax > 0, torch.ones_like(amax))
        return (amax / self.grid.divisor).clamp(SMALLEST_SCALE, LARGEST_VALUE / steps).float()

    def _shaped(self, x: Tensor) -> Tensor:
        """The scale as it broadcasts against `x`, which keeps the shape of `x`."""
        if self.axis is None:
            return self.scale if x.dim() else self.scale.reshape([])
        return self.scale.reshape([-1 if d == self.axis % x.dim() else 1 for d in range(x.dim())])

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        metadata = getattr(destination, "_metadata", {}).get(prefix[:-1])
        if metadata is not None:
            metadata["rounding"] = self.rounding

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any
    ) -> None:
        errors = args[3]
        for flag in ("fake_quant_enabled", "observer_enabled"):
            # older checkpoints keep their states; ours are set by the stage
            state_dict.pop(prefix + flag, None)
        version = local_metadata.get("version") or self._version
        asked = local_metadata.get("rounding") or ("half_up" if version < 2 else self.rounding)
        if asked != self.rounding:
            errors.append(
                f"`{self.address}`: trained with rounding {asked} (FakeQuantize version {version}),"
                f' but it rounds {self.rounding} here; `set_rounding(model, "{asked}")` before '
                "loading makes it round so"
            )
        elif version < self._version:
            LOG.info("`%s`: FakeQuantize version %s, rounding %s", self.address, version, asked)
        # not from the buffers: a learned scale is a parameter
        for name in ("scale", "zero_point"):
            fit_buffer(state_dict, prefix + name, getattr(self, name))
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


def _finite(low: Tensor, high: Tensor) -> bool:
    """Whether extremes [C] are numbers: NaN and infinity come out of every step as they are."""
    if low.is_cpu and low.numel() == 1:
        return math.isfinite(low.item()) and math.isfinite(high.item())
    return math.isfinite(low.amin().item()) and math.isfinite(high.amax().item())


def set_rounding(model: nn.Module, rounding: str) -> None:
    """Let every fake-quantizer of a model round so, whatever its march says.

    For a checkpoint of another rounding: versions before 2 of the field's FakeQuantize rounded
    `half_up`, and their numbers hold under that rounding alone. Raises KeyError for another word
    than those of `ROUNDINGS`.
    """
    ROUNDINGS[rounding]
    for module in model.modules():
        if isinstance(module, FakeQuantize):
            module.rounding = rounding


def _stopped(address: str) -> Diagnostic:
    return Diagnostic(
        "QF242",
        f"`{address}` is in the state CALIBRATION, but a later `eval()` switched observers off",
        help="call `model.eval()` first and `set_fake_quantize(model, CALIBRATION)` after it",
    )

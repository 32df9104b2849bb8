"""field_observers: the toolchain's observer classes by its names; each stands for one of ours.

Their arguments are the toolchain's. The toolchain averages the result of each batch; ours, all but
`moving_average`, keep one statistic over all batches, so `averaging_constant` above 0 matters to
`MinMaxObserver` alone. `averaging_constant=0` keeps the scale from moving in training everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from qflow.diagnostics import Diagnostic, fail
from qflow.dtype import DTYPES, DType, qint8
from qflow.quantization.observer import Observer
from qflow.quantization.observers.clip import Clip
from qflow.quantization.observers.clip_std import ClipStd
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.observers.histogram import Histogram
from qflow.quantization.observers.kl import Kl
from qflow.quantization.observers.mix import Mix
from qflow.quantization.observers.moving_average import MovingAverage
from qflow.quantization.observers.mse import Mse
from qflow.quantization.observers.percentile import Percentile

if TYPE_CHECKING:
    from torch import nn

_SCHEMES = {
    "torch.per_tensor_symmetric": "per_tensor",
    "torch.per_channel_symmetric": "per_channel",
    "per_tensor_symmetric": "per_tensor",
    "per_channel_symmetric": "per_channel",
    "per_tensor": "per_tensor",
    "per_channel": "per_channel",
}


@dataclass(frozen=True)
class FieldObserver:
    """The arguments that all of them share.

    `is_sync_quantize`, `memory_estimate_ratio` and `factory_kwargs` change no result here: states
    of ranks are merged, not synchronized at each forward, and a state has a fixed size.
    """

    averaging_constant: float | None = None
    """0: training does not update the scale. None: 0.01, the toolchain's default."""
    ch_axis: int = -1
    dtype: Any = qint8
    qscheme: Any = None
    """`torch.per_tensor_symmetric` or `torch.per_channel_symmetric`. None: as usual there."""
    quant_min: int | None = None
    quant_max: int | None = None
    is_sync_quantize: bool = False
    factory_kwargs: Any = None
    memory_estimate_ratio: Any = None
    pow_quantization: bool = False

    def __post_init__(self) -> None:
        if self.pow_quantization:
            raise fail(
                Diagnostic(
                    "QF120",
                    "scales that are powers of two are not supported yet",
                    help="leave `pow_quantization` out",
                )
            )
        dtype, limits = self.grid_dtype, (self.quant_min, self.quant_max)
        for given, own in zip(limits, (dtype.qmin, dtype.qmax), strict=True):
            if given is not None and given != own:
                raise ValueError(f"{dtype} reaches from {dtype.qmin} to {dtype.qmax}, not {given}")
        if self.averaging_constant is not None and not 0 <= self.averaging_constant <= 1:
            raise ValueError(f"averaging_constant lies in 0..1, not {self.averaging_constant}")
        _ = self.scheme

    @classmethod
    def with_args(cls, **settings: Any) -> Callable[..., Any]:
        """The class with arguments filled in, as everywhere in the field."""
        return partial(cls, **settings)

    @property
    def grid_dtype(self) -> DType:
        """The dtype as ours; `qint8`, `torch.qint8` and `int8` are one."""
        return dtype_of(self.dtype)

    @property
    def scheme(self) -> str | None:
        """`per_tensor`, `per_channel`, or None where nothing was said."""
        if self.qscheme is None:
            return None
        if str(self.qscheme) not in _SCHEMES:
            raise fail(
                Diagnostic(
                    "QF120",
                    f"`qscheme={self.qscheme}` is not supported: grids here are symmetric",
                    help="use torch.per_tensor_symmetric or torch.per_channel_symmetric",
                )
            )
        return _SCHEMES[str(self.qscheme)]

    @property
    def axis(self) -> int | None:
        """The channel axis; None where it is not given, which the toolchain writes as -1."""
        return None if self.ch_axis == -1 else self.ch_axis

    def made(self) -> Observer:
        """The observer of ours that does this."""
        raise NotImplementedError


def dtype_of(value: Any) -> DType:
    """`qint8`, `torch.qint8`, `"int8"` as one of ours.

    Raises QflowError: QF110 for another name, QF113 for what is no name at all, QF120 for floats.
    """
    if isinstance(value, DType):
        found: DType | None = value
    elif not isinstance(value, str) and type(value).__module__ != "torch":
        help = "write `qint8`, `torch.qint8` or `'int8'`"
        raise fail(Diagnostic("QF113", f"a dtype is no {type(value).__name__}", help=help))
    else:
        found = DTYPES.get(str(value).removeprefix("torch.").removeprefix("q"))
    if found is None:
        known = ", ".join(f"`q{n}`" for n, d in DTYPES.items() if not d.is_float)
        raise fail(Diagnostic("QF110", f"there is no dtype `{value}`", help=f"there are {known}"))
    if found.is_float:
        help = "use `qint8` or `qint16`, or None to leave a tensor as it is"
        text = f"a fake-quantizer of `{found}` is not supported yet"
        raise fail(Diagnostic("QF120", text, help=help))
    return found


@dataclass(frozen=True)
class MinMaxObserver(FieldObserver):
    """`moving_average`: `averaging_constant` is the weight of a new batch."""

    def made(self) -> Observer:
        constant = 0.01 if self.averaging_constant is None else self.averaging_constant
        return MovingAverage(constant)


MovingAverageMinMaxObserver = MinMaxObserver
"""Its older name."""


@dataclass(frozen=True)
class MovingAveragePerChannelMinMaxObserver(MinMaxObserver):
    """The same, per channel unless told otherwise."""

    qscheme: Any = "per_channel_symmetric"
    ch_axis: int = 0


@dataclass(frozen=True)
class PercentileObserver(FieldObserver):
    """`percentile` over all batches; the toolchain averages the percentile of each batch."""

    percentile: float = 99.99
    """In percent."""
    bins: int = 2048

    def made(self) -> Observer:
        return Percentile(self.percentile, self.bins)


@dataclass(frozen=True)
class MSEObserver(FieldObserver):
    """`mse` over all batches; the toolchain averages the best step of each batch."""

    stride: int = 1

    def made(self) -> Observer:
        return Mse(self.stride)


@dataclass(frozen=True)
class KLObserver(FieldObserver):
    """`kl` over all batches, searched when the scale is read.

    The toolchain searches every `update_interval` forwards, and never when that is more than there
    are; so a large one is no mistake here.
    """

    bins: int = 512
    """At least 128 for int8: a range is whole groups of 128 bins."""
    update_interval: int = 1

    def made(self) -> Observer:
        if self.update_interval < 1:
            raise ValueError(f"update_interval is 1 or more, not {self.update_interval}")
        return Kl(self.bins)


@dataclass(frozen=True)
class MixObserver(FieldObserver):
    """`mix` over all batches."""

    def made(self) -> Observer:
        return Mix()


@dataclass(frozen=True)
class HistogramObserver(FieldObserver):
    """`histogram`; `reset_scale` reads it by another method without new data."""

    method: str = "mse"
    bins: int = 2048

    def made(self) -> Observer:
        return Histogram(method=self.method, bins=self.bins)

    @staticmethod
    def reset_scale(
        model: nn.Module,
        method: str = "percentile",
        method_kwargs: Mapping[str, Any] | None = None,
        dtype: Any = qint8,
        prefix: str = "",
    ) -> tuple[str, ...]:
        """See `rescaling.reset_scale`; a percentile in `method_kwargs` is a FRACTION: 0.999999."""
        from qflow.quantization.rescaling import reset_scale

        return reset_scale(model, method, method_kwargs, dtype=dtype, prefix=prefix)


@dataclass(frozen=True)
class ClipObserver(FieldObserver):
    """`clip`: the data's range, never beyond xmin and xmax."""

    xmin: float = -1.0
    xmax: float = 1.0

    def made(self) -> Observer:
        return Clip(float(self.xmin), float(self.xmax))


@dataclass(frozen=True)
class ClipStdObserver(FieldObserver):
    """`clip_std`: the mean and `std_scale` standard deviations on both sides."""

    std_scale: float = 2.6

    def made(self) -> Observer:
        return ClipStd(float(self.std_scale))


@dataclass(frozen=True)
class FixedScaleObserver(FieldObserver):
    """`fixed`: `scale` is the step, or `threshold` the largest value, by the march's divisor."""

    scale: Any = None
    zero_point: int = 0
    threshold: float | None = None

    def made(self) -> Observer:
        if self.zero_point:
            raise ValueError(f"grids are symmetric: the zero point is 0, not {self.zero_point}")
        if self.scale is None:
            return Fixed(threshold=self.threshold)
        return Fixed(scale=float(self.scale), threshold=self.threshold)

"""QConfig: how the output and the weight of a module are quantized, in the Python API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

from qflow import registry
from qflow.diagnostics import Diagnostic, fail
from qflow.dtype import DTYPES, DType, qint8
from qflow.plan.plan import Decided, Fixed, Observed, TensorPlan
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.observer import Observer
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.mse import Mse

KIND = "quantization.observers"
_OUTPUT = FakeQuantize.with_args(observer=Mse(), dtype=qint8)
_WEIGHT = FakeQuantize.with_args(observer=MinMax(), dtype=qint8)


@dataclass(frozen=True)
class QConfig:
    """Both fields come from `FakeQuantize.with_args(observer=..., dtype=...)`.

    `observer` is an observer with its settings, such as `Percentile(99.9)`. Divisor and rounding
    are the march's, and weights are quantized per output channel.
    """

    output: Callable[..., FakeQuantize] = _OUTPUT
    weight: Callable[..., FakeQuantize] = _WEIGHT

    @property
    def output_plan(self) -> TensorPlan:
        return _plan(self.output, "per_tensor", None)

    @property
    def weight_plan(self) -> TensorPlan:
        return _plan(self.weight, "per_channel", 0)


def _plan(factory: Callable[..., FakeQuantize], scheme: str, axis: int | None) -> TensorPlan:
    given = factory.keywords if isinstance(factory, partial) else {}
    if extra := set(given) - {"observer", "dtype"}:
        raise fail(
            Diagnostic(
                "QF112",
                f"a QConfig cannot set {', '.join(sorted(extra))}",
                help="give `observer` and `dtype`; the march and the model decide the rest",
            )
        )
    dtype = given.get("dtype", qint8)
    name = dtype.name if isinstance(dtype, DType) else str(dtype)
    return TensorPlan(
        _decided(DTYPES[name].name),
        _decided(scheme),
        axis,
        _source(given.get("observer", MinMax())),
    )


def _source(observer: Observer) -> Observed | Fixed:
    class_name = type(observer).__name__
    name = next(n for n in registry.names(KIND) if registry.class_name(n) == class_name)
    settings = {f.name: getattr(observer, f.name) for f in fields(observer)}  # type: ignore[arg-type]
    if name == "fixed":
        return Fixed(_decided(settings["scale"]))
    decided = tuple((n, _decided(v)) for n, v in sorted(settings.items()))
    return Observed(_decided(name), decided)


def _decided(value: str | int | float | bool) -> Decided:
    return Decided(value, why="QConfig")

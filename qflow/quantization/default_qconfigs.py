"""default_qconfigs: the QConfigs the field has names for, and how they are put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow import registry
from qflow.diagnostics import Diagnostic, fail
from qflow.dtype import qint8, qint16
from qflow.quantization import field_observers
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.qconfig import Factory, QConfig

OBSERVERS: Mapping[str, str] = {
    "min_max": "MinMaxObserver",
    "fixed_scale": "FixedScaleObserver",
    "clip": "ClipObserver",
    "percentile": "PercentileObserver",
    "clip_std": "ClipStdObserver",
    "mse": "MSEObserver",
    "kl": "KLObserver",
    "mix": "MixObserver",
}
"""The field's words for its observers."""
ACTIVATION_ONLY = ("kl",)
FAKE_QUANTIZERS = ("fake_quant", "lsq", "pact")


def get_default_qconfig(
    activation_fake_quant: str | None = "fake_quant",
    weight_fake_quant: str | None = "fake_quant",
    activation_observer: str = "min_max",
    weight_observer: str = "min_max",
    activation_qkwargs: Mapping[str, Any] | None = None,
    weight_qkwargs: Mapping[str, Any] | None = None,
) -> QConfig:
    """A QConfig from words: fake-quantizers in `FAKE_QUANTIZERS`, observers in `OBSERVERS`.

    A fake-quantizer of None leaves that part unquantized. `kl` is for activations only. Weights are
    observed anew at each forward, so their `min_max` has no moving average. Raises QflowError:
    QF110 for an unknown word, QF111 for `kl` on weights.
    """
    weight = dict(weight_qkwargs or {})
    if weight_observer in ACTIVATION_ONLY:
        raise fail(Diagnostic("QF111", f"the observer `{weight_observer}` is not for weights"))
    return QConfig(
        _part(activation_fake_quant, _observer(activation_observer), activation_qkwargs or {}),
        _part(weight_fake_quant, _weight_observer(weight_observer), weight),
    )


def _weight_observer(word: str) -> Any:
    return MinMax if word == "min_max" else _observer(word)


def _part(word: str | None, observer: Any, settings: Mapping[str, Any]) -> Factory | None:
    if word is None:
        return None
    if word not in FAKE_QUANTIZERS:
        raise _unknown("fake-quantizer", word, FAKE_QUANTIZERS)
    cls = FakeQuantize if word == "fake_quant" else registry.load("quantization.learned", word)
    return cls.with_args(**{"observer": observer, "dtype": qint8, **settings})  # type: ignore[no-any-return]


def _observer(word: str) -> Any:
    if word not in OBSERVERS:
        raise _unknown("observer", word, tuple(OBSERVERS))
    return getattr(field_observers, OBSERVERS[word])


def _unknown(kind: str, word: str, known: tuple[str, ...]) -> Exception:
    near = registry.nearest(word, known) or known
    notes = (f"the nearest: {', '.join(f'`{n}`' for n in near)}",)
    return fail(Diagnostic("QF110", f"there is no {kind} `{word}`", notes=notes))


def _of(observer: str, **settings: Any) -> QConfig:
    return get_default_qconfig(activation_observer=observer, activation_qkwargs=settings)


default_qat_8bit_fake_quant_qconfig = _of("min_max")
default_calib_8bit_fake_quant_qconfig = _of("percentile")
default_qat_out_8bit_fake_quant_qconfig = get_default_qconfig(activation_fake_quant=None)
default_qat_8bit_weight_32bit_out_fake_quant_qconfig = default_qat_out_8bit_fake_quant_qconfig
default_calib_out_8bit_fake_quant_qconfig = default_qat_out_8bit_fake_quant_qconfig
default_calib_8bit_weight_32bit_out_fake_quant_qconfig = default_qat_out_8bit_fake_quant_qconfig
default_qat_8bit_weight_16bit_act_fake_quant_qconfig = _of("min_max", dtype=qint16)
default_calib_8bit_weight_16bit_act_fake_quant_qconfig = _of("percentile", dtype=qint16)
default_qat_8bit_fixed_act_fake_quant_qconfig = _of("min_max", averaging_constant=0)
default_qat_8bit_weight_16bit_fixed_act_fake_quant_qconfig = _of(
    "min_max", dtype=qint16, averaging_constant=0
)


def get_default_qat_qconfig() -> QConfig:
    """The older spelling of `default_qat_8bit_fake_quant_qconfig`."""
    return default_qat_8bit_fake_quant_qconfig


def get_default_qat_out_qconfig() -> QConfig:
    """The older spelling of `default_qat_out_8bit_fake_quant_qconfig`: an output without a grid."""
    return default_qat_out_8bit_fake_quant_qconfig


def get_default_calib_qconfig() -> QConfig:
    """The older spelling of `default_calib_8bit_fake_quant_qconfig`."""
    return default_calib_8bit_fake_quant_qconfig


def __getattr__(name: str) -> Any:
    # learned scales load their files only when asked for
    if name == "default_qat_8bit_lsq_quant_qconfig":
        return get_default_qconfig("lsq", "lsq")
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")


__all__ = [
    "get_default_calib_qconfig",
    "get_default_qat_out_qconfig",
    "get_default_qat_qconfig",
    "get_default_qconfig",
    "default_qat_8bit_lsq_quant_qconfig",  # noqa: F822
    *[name for name in dir() if name.startswith("default_")],
]

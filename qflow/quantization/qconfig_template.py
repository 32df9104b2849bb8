"""qconfig_template: the setters of the field by its names; of a tuple of them the first one wins.

`calibration`, `qat` and `qat_fixed_act` differ in the observer and in whether training moves the
scale, and in nothing else.
"""

from __future__ import annotations

from typing import Any

from qflow.dtype import qint8, qint16
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.field_observers import MinMaxObserver, MSEObserver
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.qconfig import Factory, QConfig
from qflow.quantization.setters.all_fp16 import AllFp16Setter
from qflow.quantization.setters.default import DefaultSetter
from qflow.quantization.setters.module_name import ModuleNameQconfigSetter
from qflow.quantization.setters.sensitive import SensitiveSetter, sensitive_setter

__all__ = [
    "ModuleNameQconfigSetter",
    "all_fp16_qconfig_setter",
    "calibration_8bit_weight_16bit_act_qconfig_setter",
    "default_calibration_qconfig_setter",
    "default_qat_fixed_act_qconfig_setter",
    "default_qat_qconfig_setter",
    "gemm_int8_calibration_qconfig_setter",
    "gemm_int8_qat_qconfig_setter",
    "get_sensitive_op_qconfig_setter",
    "qat_8bit_weight_16bit_act_qconfig_setter",
    "qat_8bit_weight_16bit_fixed_act_qconfig_setter",
    "sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter",
    "sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter",
    "sensitive_op_qat_8bit_weight_16bit_fixed_act_qconfig_setter",
]

_WEIGHT = FakeQuantize.with_args(observer=MinMax(), dtype=qint8)
_CALIBRATION = FakeQuantize.with_args(observer=MSEObserver)
_QAT = FakeQuantize.with_args(observer=MinMaxObserver)
_QAT_FIXED = FakeQuantize.with_args(observer=MinMaxObserver, fix_scale=True)


def _qconfig(activation: Any, dtype: Any, input: Factory | None = None) -> QConfig:
    return QConfig(activation.with_args(dtype=dtype), _WEIGHT, input)


def _default(name: str, activation: Any) -> DefaultSetter:
    return DefaultSetter(name, _qconfig(activation, qint8), wide=_qconfig(activation, qint16))


def _wide(name: str, activation: Any) -> DefaultSetter:
    return DefaultSetter(name, _qconfig(activation, qint16))


def _gemm_int8(name: str, activation: Any) -> DefaultSetter:
    # a gemm multiplies int8 only if its operands are int8 too
    gemm = _qconfig(activation, qint8, activation.with_args(dtype=qint8))
    return DefaultSetter(name, _qconfig(activation, qint16), gemm=gemm)


default_calibration_qconfig_setter = _default("default_calibration_qconfig_setter", _CALIBRATION)
default_qat_qconfig_setter = _default("default_qat_qconfig_setter", _QAT)
default_qat_fixed_act_qconfig_setter = _default("default_qat_fixed_act_qconfig_setter", _QAT_FIXED)
calibration_8bit_weight_16bit_act_qconfig_setter = _wide(
    "calibration_8bit_weight_16bit_act_qconfig_setter", _CALIBRATION
)
qat_8bit_weight_16bit_act_qconfig_setter = _wide("qat_8bit_weight_16bit_act_qconfig_setter", _QAT)
qat_8bit_weight_16bit_fixed_act_qconfig_setter = _wide(
    "qat_8bit_weight_16bit_fixed_act_qconfig_setter", _QAT_FIXED
)
gemm_int8_calibration_qconfig_setter = _gemm_int8(
    "gemm_int8_calibration_qconfig_setter", _CALIBRATION
)
gemm_int8_qat_qconfig_setter = _gemm_int8("gemm_int8_qat_qconfig_setter", _QAT)
all_fp16_qconfig_setter = AllFp16Setter("all_fp16_qconfig_setter")


def sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter(
    sensitive_table: Any, topk: int | None = None, ratio: float | None = None
) -> SensitiveSetter:
    """Int16 outputs for the most sensitive operators of a table, to be calibrated.

    `sensitive_table` is a path, or rows of 4, 5 or 6 columns, most sensitive first; exactly one of
    `topk` and `ratio` cuts it (QF252). Rows are cut first; of those left the ones about int8
    activations count. Chain one per table, in front of a default setter.
    """
    name = "sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter"
    return sensitive_setter(name, _qconfig(_CALIBRATION, qint16), sensitive_table, topk, ratio)


def sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter(
    sensitive_table: Any, topk: int | None = None, ratio: float | None = None
) -> SensitiveSetter:
    """The same, to be trained."""
    name = "sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter"
    return sensitive_setter(name, _qconfig(_QAT, qint16), sensitive_table, topk, ratio)


def sensitive_op_qat_8bit_weight_16bit_fixed_act_qconfig_setter(
    sensitive_table: Any, topk: int | None = None, ratio: float | None = None
) -> SensitiveSetter:
    """The same, to be trained with the scales that calibration found."""
    name = "sensitive_op_qat_8bit_weight_16bit_fixed_act_qconfig_setter"
    return sensitive_setter(name, _qconfig(_QAT_FIXED, qint16), sensitive_table, topk, ratio)


def get_sensitive_op_qconfig_setter(
    sensitive_type: str,
    origin_dtype: Any,
    default_qconfig: QConfig,
    sensitive_table: Any,
    topk: int | None = None,
    ratio: float | None = None,
) -> SensitiveSetter:
    """The general form: rows about `sensitive_type` (`activation`, `weight`, `both`) at
    `origin_dtype` get `default_qconfig`."""
    return sensitive_setter(
        "get_sensitive_op_qconfig_setter",
        default_qconfig,
        sensitive_table,
        topk,
        ratio,
        sensitive_type,
        origin_dtype,
    )

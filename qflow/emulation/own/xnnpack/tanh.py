"""tanh: XNNPACK's table of int8, rounded half to even; int16 is left to the built-in kernels."""

from __future__ import annotations

from qflow.emulation.own.tflite_builtin import tanh


class Tanh(tanh.Tanh):
    """As the general operator."""

    rounding = "half_even"

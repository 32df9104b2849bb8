"""elu: XNNPACK's table of int8, rounded half to even."""

from __future__ import annotations

from qflow.emulation.own.tflite import elu


class Elu(elu.Elu):
    """As the general operator."""

    rounding = "half_even"

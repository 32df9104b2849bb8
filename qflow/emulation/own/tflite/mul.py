"""mul: MUL; scales meet in float32."""

from __future__ import annotations

from qflow.emulation.ops import mul
from qflow.emulation.own.tflite._in_float32 import InFloat32


class Mul(InFloat32, mul.Mul):
    """As the general operator."""

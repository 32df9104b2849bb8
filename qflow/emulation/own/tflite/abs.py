"""abs: ABS; scales meet in float32."""

from __future__ import annotations

from qflow.emulation.ops import abs
from qflow.emulation.own.tflite._in_float32 import InFloat32


class Abs(InFloat32, abs.Abs):
    """As the general operator."""

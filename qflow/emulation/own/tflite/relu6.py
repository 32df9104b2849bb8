"""relu6: RELU6 on a grid of its own; scales meet in float32."""

from __future__ import annotations

from qflow.emulation.ops import relu6
from qflow.emulation.own.tflite._in_float32 import InFloat32


class Relu6(InFloat32, relu6.Relu6):
    """As the general operator."""

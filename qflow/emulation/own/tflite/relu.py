"""relu: RELU on a grid of its own; scales meet in float32."""

from __future__ import annotations

from qflow.emulation.ops import relu
from qflow.emulation.own.tflite._in_float32 import InFloat32


class Relu(InFloat32, relu.Relu):
    """As the general operator."""

"""leaky_relu: LEAKY_RELU; scales and slope meet in float32."""

from __future__ import annotations

from qflow.emulation.ops import leaky_relu
from qflow.emulation.own.tflite._in_float32 import InFloat32


class LeakyRelu(InFloat32, leaky_relu.LeakyRelu):
    """As the general operator."""

"""conv2d: CONV_2D and DEPTHWISE_CONV_2D; of int16 activations with a 16-bit multiplier."""

from __future__ import annotations

from qflow.emulation.ops import conv2d
from qflow.emulation.own.tflite._wide import Wide


class Conv2d(Wide, conv2d.Conv2d):
    """As the general operator."""

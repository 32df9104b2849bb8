"""conv1d: CONV_2D of images of one row; of int16 activations with a 16-bit multiplier."""

from __future__ import annotations

from qflow.emulation.ops import conv1d
from qflow.emulation.own.tflite._wide import Wide


class Conv1d(Wide, conv1d.Conv1d):
    """As the general operator."""

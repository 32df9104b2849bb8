"""conv_transpose2d: TRANSPOSE_CONV; of int16 activations with a 16-bit multiplier."""

from __future__ import annotations

from qflow.emulation.ops import conv_transpose2d
from qflow.emulation.own.tflite._wide import Wide


class ConvTranspose2d(Wide, conv_transpose2d.ConvTranspose2d):
    """As the general operator."""

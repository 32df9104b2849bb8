"""linear: FULLY_CONNECTED; XNNPACK has int8, and leaves int16 to the built-in kernels."""

from __future__ import annotations

from qflow.emulation.own.tflite import linear


class Linear(linear.Linear):
    """As the general operator."""

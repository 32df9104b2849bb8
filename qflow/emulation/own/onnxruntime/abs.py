"""abs: values are dequantized, changed and quantized."""

from __future__ import annotations

from qflow.emulation.ops import abs
from qflow.emulation.own.onnxruntime._floats import Dequantized


class Abs(Dequantized, abs.Abs):
    """As the general operator."""

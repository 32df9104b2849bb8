"""neg: values are dequantized, changed and quantized."""

from __future__ import annotations

from qflow.emulation.ops import neg
from qflow.emulation.own.onnxruntime._floats import Dequantized


class Neg(Dequantized, neg.Neg):
    """As the general operator."""

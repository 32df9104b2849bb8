"""relu6: values are dequantized, cut off and quantized."""

from __future__ import annotations

from qflow.emulation.ops import relu6
from qflow.emulation.own.onnxruntime._floats import Dequantized


class Relu6(Dequantized, relu6.Relu6):
    """As the general operator."""

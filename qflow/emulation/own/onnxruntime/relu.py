"""relu: values are dequantized, cut off and quantized."""

from __future__ import annotations

from qflow.emulation.ops import relu
from qflow.emulation.own.onnxruntime._floats import Dequantized


class Relu(Dequantized, relu.Relu):
    """As the general operator."""

"""sigmoid: Sigmoid of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import sigmoid
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Sigmoid(OnFloats, sigmoid.Sigmoid):
    """As the general operator."""

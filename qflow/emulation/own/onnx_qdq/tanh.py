"""tanh: Tanh of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import tanh
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Tanh(OnFloats, tanh.Tanh):
    """As the general operator."""

"""asinh: Asinh of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import asinh
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Asinh(OnFloats, asinh.Asinh):
    """As the general operator."""

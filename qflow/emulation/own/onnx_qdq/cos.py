"""cos: Cos of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import cos
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Cos(OnFloats, cos.Cos):
    """As the general operator."""

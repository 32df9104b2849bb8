"""sqrt: Sqrt of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import sqrt
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Sqrt(OnFloats, sqrt.Sqrt):
    """As the general operator."""

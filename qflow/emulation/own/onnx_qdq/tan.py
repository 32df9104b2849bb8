"""tan: Tan of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import tan
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Tan(OnFloats, tan.Tan):
    """As the general operator."""

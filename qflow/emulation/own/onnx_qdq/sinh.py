"""sinh: Sinh of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import sinh
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Sinh(OnFloats, sinh.Sinh):
    """As the general operator."""

"""acos: Acos of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import acos
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Acos(OnFloats, acos.Acos):
    """As the general operator."""

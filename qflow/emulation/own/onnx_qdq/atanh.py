"""atanh: Atanh of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import atanh
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Atanh(OnFloats, atanh.Atanh):
    """As the general operator."""

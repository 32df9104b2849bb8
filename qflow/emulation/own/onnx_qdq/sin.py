"""sin: Sin of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import sin
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Sin(OnFloats, sin.Sin):
    """As the general operator."""

"""asin: Asin of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import asin
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Asin(OnFloats, asin.Asin):
    """As the general operator."""

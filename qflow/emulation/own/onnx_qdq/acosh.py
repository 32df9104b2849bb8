"""acosh: Acosh of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import acosh
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Acosh(OnFloats, acosh.Acosh):
    """As the general operator."""

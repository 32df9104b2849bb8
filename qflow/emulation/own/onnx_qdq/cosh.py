"""cosh: Cosh of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import cosh
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Cosh(OnFloats, cosh.Cosh):
    """As the general operator."""

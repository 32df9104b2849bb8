"""reciprocal: Reciprocal of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import reciprocal
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Reciprocal(OnFloats, reciprocal.Reciprocal):
    """As the general operator."""

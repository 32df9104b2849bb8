"""atan: Atan of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import atan
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Atan(OnFloats, atan.Atan):
    """As the general operator."""

"""pow: Pow of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import pow
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Pow(OnFloats, pow.Pow):
    """As the general operator."""

"""erf: Erf of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import erf
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Erf(OnFloats, erf.Erf):
    """As the general operator."""

"""exp: Exp of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import exp
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Exp(OnFloats, exp.Exp):
    """As the general operator."""

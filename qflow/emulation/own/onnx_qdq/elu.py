"""elu: Elu of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import elu
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Elu(OnFloats, elu.Elu):
    """As the general operator."""

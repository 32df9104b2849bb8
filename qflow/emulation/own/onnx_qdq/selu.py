"""selu: Selu of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import selu
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Selu(OnFloats, selu.Selu):
    """As the general operator."""

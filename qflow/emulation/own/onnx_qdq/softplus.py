"""softplus: Softplus of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import softplus
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Softplus(OnFloats, softplus.Softplus):
    """As the general operator."""

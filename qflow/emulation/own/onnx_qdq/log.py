"""log: Log of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import log
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Log(OnFloats, log.Log):
    """As the general operator."""

"""ceil: Ceil of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import ceil
from qflow.emulation.own.onnx_qdq._whole import WholeOnFloats


class Ceil(WholeOnFloats, ceil.Ceil):
    """As the general operator."""

"""floor: Floor of ONNX on dequantized bytes."""

from __future__ import annotations

from qflow.emulation.ops import floor
from qflow.emulation.own.onnx_qdq._whole import WholeOnFloats


class Floor(WholeOnFloats, floor.Floor):
    """As the general operator."""

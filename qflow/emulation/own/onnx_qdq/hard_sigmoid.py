"""hard_sigmoid: HardSigmoid of ONNX, one float operation at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.emulation.ops import hard_sigmoid
from qflow.emulation.own.onnx_qdq._function import OnFloats


class HardSigmoid(OnFloats, hard_sigmoid.HardSigmoid):
    """As the general operator."""

    def in_float32(self, settings: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return np.clip(x * np.float32(1 / 6) + np.float32(0.5), np.float32(0), np.float32(1))

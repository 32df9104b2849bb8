"""gelu: Gelu of ONNX, one float operation at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.emulation.ops import gelu
from qflow.emulation.ops._curves import erf
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Gelu(OnFloats, gelu.Gelu):
    """As the general operator."""

    def in_float32(self, settings: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        if settings["approximate"] != "none":
            return super().in_float32(settings, x)
        error = erf((x * np.float32(np.sqrt(0.5))).astype(np.float64)).astype(np.float32)
        return x * np.float32(0.5) * (error + np.float32(1))

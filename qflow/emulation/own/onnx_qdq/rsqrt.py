"""rsqrt: Reciprocal of Sqrt, each rounded to float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.emulation.ops import rsqrt
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Rsqrt(OnFloats, rsqrt.Rsqrt):
    """As the general operator."""

    def in_float32(self, settings: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return np.float32(1) / np.sqrt(x)

"""hard_swish: HardSwish of ONNX, one float operation at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.emulation.ops import hard_swish
from qflow.emulation.own.onnx_qdq._function import OnFloats


class HardSwish(OnFloats, hard_swish.HardSwish):
    """As the general operator."""

    def in_float32(self, settings: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        gate = np.clip(x * np.float32(1 / 6) + np.float32(0.5), np.float32(0), np.float32(1))
        return x * gate

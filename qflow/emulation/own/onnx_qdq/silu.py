"""silu: a product with Sigmoid, each rounded to float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.emulation.ops import silu
from qflow.emulation.ops._curves import sigmoid
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Silu(OnFloats, silu.Silu):
    """As the general operator."""

    def in_float32(self, settings: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return x * sigmoid(x.astype(np.float64)).astype(np.float32)

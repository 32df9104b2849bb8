"""mish: Mish of ONNX: a product with tanh of softplus, each rounded to float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.emulation.ops import mish
from qflow.emulation.ops._curves import softplus
from qflow.emulation.own.onnx_qdq._function import OnFloats


class Mish(OnFloats, mish.Mish):
    """As the general operator."""

    def in_float32(self, settings: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        soft = softplus(x.astype(np.float64)).astype(np.float32)
        return x * np.tanh(soft.astype(np.float64)).astype(np.float32)

"""gelu: GELU, from a table."""

from __future__ import annotations

import math

import numpy as np

from qflow.emulation.ops import gelu
from qflow.emulation.own.tflite._looked_up import LookedUp


class Gelu(LookedUp, gelu.Gelu):
    """As the general operator."""

    def formula(self, x: np.ndarray, *, approximate: str) -> np.ndarray:
        if approximate == "tanh":
            return super().formula(x, approximate=approximate)
        # the complement is a float32 of a float32
        turned = (-x * math.sqrt(0.5)).astype(np.float32)
        complement = [math.erfc(v) for v in turned.ravel().tolist()]
        return 0.5 * x * np.array(complement, np.float32).reshape(x.shape)

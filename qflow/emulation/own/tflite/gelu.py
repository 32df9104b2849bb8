"""gelu: GELU, from a table."""

from __future__ import annotations

import math

import numpy as np

from qflow.emulation.ops import gelu
from qflow.emulation.own.tflite._looked_up import LookedUp

ROOT, CUBIC = np.float32(math.sqrt(2 / math.pi)), np.float32(0.044715)


class Gelu(LookedUp, gelu.Gelu):
    """As the general operator."""

    def formula(self, x: np.ndarray, *, approximate: str) -> np.ndarray:
        if approximate == "tanh":
            return _by_tanh(x.astype(np.float32)).astype(np.float64)
        # the complement is a float32 of a float32
        turned = (-x * math.sqrt(0.5)).astype(np.float32)
        complement = [math.erfc(v) for v in turned.ravel().tolist()]
        return 0.5 * x * np.array(complement, np.float32).reshape(x.shape)


def _by_tanh(x: np.ndarray) -> np.ndarray:
    """In float32 step by step. LiteRT's tanh is the C library's, whose last bit may be another."""
    cubic = x + CUBIC * x * x * x
    bent = np.tanh((ROOT * cubic).astype(np.float64)).astype(np.float32)
    found: np.ndarray = np.float32(0.5) * x * (np.float32(1) + bent)
    return found

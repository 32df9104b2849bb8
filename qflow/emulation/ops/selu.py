"""selu: an elu with the two constants that keep mean and variance."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary

ALPHA, SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
"""The fixed point of mean 0 and variance 1 (Klambauer et al., Self-Normalizing Neural Networks)."""


class Selu(Unary):
    """No attributes."""

    name = "selu"
    modules = ("torch.nn.SELU", "qflow.nn.Selu")
    functions = ("torch.selu", "torch.nn.functional.selu", "torch.selu_")
    function = "selu"
    examples = (Example(((2, 3, 5),), written=("F.selu(x)", "torch.selu(x)", "nn.SELU()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return SCALE * np.where(x > 0, x, ALPHA * np.expm1(x))

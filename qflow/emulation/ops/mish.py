"""mish: x * tanh(softplus(x))."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._curves import softplus
from qflow.emulation.ops._unary import Unary


class Mish(Unary):
    """No attributes."""

    name = "mish"
    modules = ("torch.nn.Mish",)
    functions = ("torch.nn.functional.mish",)
    function = "nn.functional.mish"
    examples = (Example(((2, 3, 5),), written=("F.mish(x)", "nn.Mish()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return x * np.tanh(softplus(x))

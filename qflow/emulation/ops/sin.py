"""sin: the sine."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Sin(Unary):
    """No attributes."""

    name = "sin"
    modules = ("qflow.nn.Sin",)
    functions = ("torch.sin", "torch.Tensor.sin", "torch.sin_", "torch.Tensor.sin_")
    function = "sin"
    examples = (Example(((2, 3, 5),), written=("torch.sin(x)", "x.sin()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.sin(x)

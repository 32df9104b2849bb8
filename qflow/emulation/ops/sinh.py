"""sinh: the hyperbolic sine."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Sinh(Unary):
    """No attributes."""

    name = "sinh"
    modules = ("qflow.nn.Sinh",)
    functions = ("torch.sinh", "torch.Tensor.sinh", "torch.sinh_", "torch.Tensor.sinh_")
    function = "sinh"
    examples = (Example(((2, 3, 5),), written=("torch.sinh(x)", "x.sinh()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.sinh(x)

"""sqrt: the square root."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Sqrt(Unary):
    """No attributes."""

    name = "sqrt"
    modules = ("qflow.nn.Sqrt",)
    functions = ("torch.sqrt", "torch.Tensor.sqrt", "torch.sqrt_", "torch.Tensor.sqrt_")
    function = "sqrt"
    examples = (Example(((2, 3, 5),), written=("torch.sqrt(x)", "x.sqrt()"), kinds=("positive",)),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.sqrt(x)

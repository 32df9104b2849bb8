"""cos: the cosine."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Cos(Unary):
    """No attributes."""

    name = "cos"
    modules = ("qflow.nn.Cos",)
    functions = ("torch.cos", "torch.Tensor.cos", "torch.cos_", "torch.Tensor.cos_")
    function = "cos"
    examples = (Example(((2, 3, 5),), written=("torch.cos(x)", "x.cos()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.cos(x)

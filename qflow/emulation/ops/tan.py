"""tan: the tangent."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Tan(Unary):
    """No attributes."""

    name = "tan"
    modules = ("qflow.nn.Tan",)
    functions = ("torch.tan", "torch.Tensor.tan", "torch.tan_", "torch.Tensor.tan_")
    function = "tan"
    examples = (Example(((2, 3, 5),), written=("torch.tan(x)", "x.tan()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.tan(x)

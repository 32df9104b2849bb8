"""exp: e to the power of each value."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Exp(Unary):
    """No attributes."""

    name = "exp"
    modules = ("qflow.nn.Exp",)
    functions = ("torch.exp", "torch.Tensor.exp", "torch.exp_", "torch.Tensor.exp_")
    function = "exp"
    examples = (Example(((2, 3, 5),), written=("torch.exp(x)", "x.exp()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.exp(x)

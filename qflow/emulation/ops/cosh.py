"""cosh: the hyperbolic cosine."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Cosh(Unary):
    """No attributes."""

    name = "cosh"
    modules = ("qflow.nn.Cosh",)
    functions = ("torch.cosh", "torch.Tensor.cosh", "torch.cosh_", "torch.Tensor.cosh_")
    function = "cosh"
    examples = (Example(((2, 3, 5),), written=("torch.cosh(x)", "x.cosh()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.cosh(x)

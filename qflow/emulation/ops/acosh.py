"""acosh: the inverse hyperbolic cosine."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Acosh(Unary):
    """No attributes."""

    name = "acosh"
    modules = ("qflow.nn.Acosh",)
    functions = (
        "torch.acosh",
        "torch.Tensor.acosh",
        "torch.acosh_",
        "torch.Tensor.acosh_",
        "torch.arccosh",
        "torch.Tensor.arccosh",
    )
    function = "acosh"
    examples = (
        Example(((2, 3, 5),), written=("torch.acosh(x)", "x.acosh()"), kinds=("above one",)),
    )

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.arccosh(x)

"""softplus: log(1 + exp(beta * x)) / beta."""

from __future__ import annotations

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._curves import softplus
from qflow.emulation.ops._unary import Shaped


class Softplus(Shaped):
    """Attributes: beta, threshold (above it, times beta, the function is taken for x)."""

    name = "softplus"
    modules = ("torch.nn.Softplus",)
    functions = ("torch.nn.functional.softplus",)
    function = "nn.functional.softplus"
    settings = (("beta", 1.0), ("threshold", 20.0))
    examples = (
        Example(
            ((2, 3, 5),),
            {"beta": 1.0, "threshold": 20.0},
            written=("F.softplus(x)", "nn.Softplus()"),
        ),
        Example(
            ((2, 3, 5),),
            {"beta": 2.0, "threshold": 5.0},
            written=("F.softplus(x, 2.0, 5.0)", "nn.Softplus(2.0, 5.0)"),
        ),
    )

    def formula(self, x: np.ndarray, *, beta: float, threshold: float) -> np.ndarray:
        return np.where(beta * x > threshold, x, softplus(beta * x) / beta)

"""elu: x above zero, alpha * (exp(x) - 1) below."""

from __future__ import annotations

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Shaped


class Elu(Shaped):
    """Attribute: alpha."""

    name = "elu"
    modules = ("torch.nn.ELU",)
    functions = ("torch.nn.functional.elu",)
    function = "nn.functional.elu"
    settings = (("alpha", 1.0),)
    examples = (
        Example(((2, 3, 5),), {"alpha": 1.0}, written=("F.elu(x)", "nn.ELU()")),
        Example(
            ((2, 3, 5),), {"alpha": 0.5}, written=("F.elu(x, 0.5)", "nn.ELU(0.5, inplace=True)")
        ),
    )

    def formula(self, x: np.ndarray, *, alpha: float) -> np.ndarray:
        return np.where(x > 0, x, alpha * np.expm1(x))

"""gelu: x times the share of a normal distribution below x."""

from __future__ import annotations

import math

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._curves import erf
from qflow.emulation.ops._unary import Shaped


class Gelu(Shaped):
    """Attribute: approximate, `none` or `tanh`."""

    name = "gelu"
    modules = ("torch.nn.GELU",)
    functions = ("torch.nn.functional.gelu",)
    function = "nn.functional.gelu"
    settings = (("approximate", "none"),)
    examples = (
        Example(((2, 3, 5),), {"approximate": "none"}, written=("F.gelu(x)", "nn.GELU()")),
        Example(
            ((2, 3, 5),),
            {"approximate": "tanh"},
            written=("F.gelu(x, approximate='tanh')", "nn.GELU('tanh')"),
        ),
    )

    def formula(self, x: np.ndarray, *, approximate: str) -> np.ndarray:
        if approximate == "tanh":
            return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return 0.5 * x * (1 + erf(x / math.sqrt(2)))

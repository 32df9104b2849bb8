"""tanh: the hyperbolic tangent, between -1 and 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Tanh(Unary):
    """No attributes."""

    name = "tanh"
    modules = ("torch.nn.Tanh",)
    functions = (
        "torch.tanh",
        "torch.nn.functional.tanh",
        "torch.Tensor.tanh",
        "torch.tanh_",
        "torch.Tensor.tanh_",
    )
    function = "tanh"
    examples = (Example(((2, 3, 5),), written=("torch.tanh(x)", "x.tanh_()", "nn.Tanh()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.tanh(x)

"""asinh: the inverse hyperbolic sine."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Asinh(Unary):
    """No attributes."""

    name = "asinh"
    modules = ("qflow.nn.Asinh",)
    functions = (
        "torch.asinh",
        "torch.Tensor.asinh",
        "torch.asinh_",
        "torch.Tensor.asinh_",
        "torch.arcsinh",
        "torch.Tensor.arcsinh",
    )
    function = "asinh"
    examples = (Example(((2, 3, 5),), written=("torch.asinh(x)", "x.asinh()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.arcsinh(x)

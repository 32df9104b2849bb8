"""atanh: the inverse hyperbolic tangent."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Atanh(Unary):
    """No attributes."""

    name = "atanh"
    modules = ("qflow.nn.Atanh",)
    functions = (
        "torch.atanh",
        "torch.Tensor.atanh",
        "torch.atanh_",
        "torch.Tensor.atanh_",
        "torch.arctanh",
        "torch.Tensor.arctanh",
    )
    function = "atanh"
    examples = (Example(((2, 3, 5),), written=("torch.atanh(x)", "x.atanh()"), kinds=("unit",)),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.arctanh(x)

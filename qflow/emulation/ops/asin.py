"""asin: the inverse sine."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Asin(Unary):
    """No attributes."""

    name = "asin"
    modules = ("qflow.nn.Asin",)
    functions = (
        "torch.asin",
        "torch.Tensor.asin",
        "torch.asin_",
        "torch.Tensor.asin_",
        "torch.arcsin",
        "torch.Tensor.arcsin",
    )
    function = "asin"
    examples = (Example(((2, 3, 5),), written=("torch.asin(x)", "x.asin()"), kinds=("unit",)),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.arcsin(x)

"""acos: the inverse cosine."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Acos(Unary):
    """No attributes."""

    name = "acos"
    modules = ("qflow.nn.Acos",)
    functions = (
        "torch.acos",
        "torch.Tensor.acos",
        "torch.acos_",
        "torch.Tensor.acos_",
        "torch.arccos",
        "torch.Tensor.arccos",
    )
    function = "acos"
    examples = (Example(((2, 3, 5),), written=("torch.acos(x)", "x.acos()"), kinds=("unit",)),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.arccos(x)

"""atan: the inverse tangent."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Atan(Unary):
    """No attributes."""

    name = "atan"
    modules = ("qflow.nn.Atan",)
    functions = (
        "torch.atan",
        "torch.Tensor.atan",
        "torch.atan_",
        "torch.Tensor.atan_",
        "torch.arctan",
        "torch.Tensor.arctan",
    )
    function = "atan"
    examples = (Example(((2, 3, 5),), written=("torch.atan(x)", "x.atan()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.arctan(x)

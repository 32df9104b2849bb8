"""reciprocal: one over each value."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Reciprocal(Unary):
    """No attributes."""

    name = "reciprocal"
    modules = ("qflow.nn.Reciprocal",)
    functions = (
        "torch.reciprocal",
        "torch.Tensor.reciprocal",
        "torch.reciprocal_",
        "torch.Tensor.reciprocal_",
    )
    function = "reciprocal"
    examples = (
        Example(
            ((2, 3, 5),), written=("torch.reciprocal(x)", "x.reciprocal()"), kinds=("positive",)
        ),
    )

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return 1 / x

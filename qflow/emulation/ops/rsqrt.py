"""rsqrt: one over the square root."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Rsqrt(Unary):
    """No attributes."""

    name = "rsqrt"
    modules = ("qflow.nn.Rsqrt",)
    functions = ("torch.rsqrt", "torch.Tensor.rsqrt", "torch.rsqrt_", "torch.Tensor.rsqrt_")
    function = "rsqrt"
    examples = (
        Example(((2, 3, 5),), written=("torch.rsqrt(x)", "x.rsqrt()"), kinds=("positive",)),
    )

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return 1 / np.sqrt(x)

"""abs: the magnitude of each value."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._signs import Signs


class Abs(Signs):
    """No attributes."""

    name = "abs"
    role = "elementwise"
    functions = (
        "operator.abs",
        "torch.absolute",
        "torch.Tensor.absolute",
        "torch.Tensor.__abs__",
        "torch.abs",
        "torch.Tensor.abs",
        "torch.abs_",
        "torch.Tensor.abs_",
    )
    function = "abs"
    examples = (Example(((2, 3, 5),), written=("torch.abs(x)", "x.abs()", "abs(x)")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.abs(x)

    def change(self, x: Any) -> Any:
        return abs(x)

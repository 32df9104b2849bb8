"""neg: each value with its sign changed."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._signs import Signs


class Neg(Signs):
    """No attributes."""

    name = "neg"
    role = "elementwise"
    functions = (
        "operator.neg",
        "torch.negative",
        "torch.Tensor.negative",
        "torch.Tensor.__neg__",
        "torch.neg",
        "torch.Tensor.neg",
        "torch.neg_",
        "torch.Tensor.neg_",
    )
    function = "neg"
    examples = (Example(((2, 3, 5),), written=("torch.neg(x)", "x.neg()", "-x")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return -x

    def change(self, x: Any) -> Any:
        return -x

"""ceil: the next whole number above."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._whole import Whole


class Ceil(Whole):
    """No attributes."""

    name = "ceil"
    modules = ("qflow.nn.Ceil",)
    functions = ("torch.ceil", "torch.Tensor.ceil", "torch.ceil_", "torch.Tensor.ceil_")
    function = "ceil"
    examples = (Example(((2, 3, 5),), written=("torch.ceil(x)", "x.ceil()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.ceil(x)

    def signed(self, x: Any) -> Any:
        return -x

"""floor: the next whole number below."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._whole import Whole


class Floor(Whole):
    """No attributes."""

    name = "floor"
    modules = ("qflow.nn.Floor",)
    functions = ("torch.floor", "torch.Tensor.floor", "torch.floor_", "torch.Tensor.floor_")
    function = "floor"
    examples = (Example(((2, 3, 5),), written=("torch.floor(x)", "x.floor()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.floor(x)

    def signed(self, x: Any) -> Any:
        return x

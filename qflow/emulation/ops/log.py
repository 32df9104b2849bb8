"""log: the natural logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Log(Unary):
    """No attributes."""

    name = "log"
    modules = ("qflow.nn.HardLog", "qflow.nn.Log")
    functions = ("torch.log", "torch.Tensor.log", "torch.log_", "torch.Tensor.log_")
    function = "log"
    examples = (Example(((2, 3, 5),), written=("torch.log(x)", "x.log()"), kinds=("positive",)),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return np.log(x)

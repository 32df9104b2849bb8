"""sigmoid: 1 / (1 + exp(-x)), between 0 and 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._curves import sigmoid
from qflow.emulation.ops._unary import Unary


class Sigmoid(Unary):
    """No attributes."""

    name = "sigmoid"
    modules = ("torch.nn.Sigmoid",)
    functions = (
        "torch.sigmoid",
        "torch.nn.functional.sigmoid",
        "torch.Tensor.sigmoid",
        "torch.sigmoid_",
        "torch.Tensor.sigmoid_",
        "torch.special.expit",
    )
    function = "sigmoid"
    examples = (Example(((2, 3, 5),), written=("torch.sigmoid(x)", "x.sigmoid()", "nn.Sigmoid()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return sigmoid(x)

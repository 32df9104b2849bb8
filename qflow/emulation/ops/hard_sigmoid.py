"""hard_sigmoid: relu6(x + 3) / 6."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._curves import relu6
from qflow.emulation.ops._unary import Unary


class HardSigmoid(Unary):
    """No attributes."""

    name = "hard_sigmoid"
    modules = ("torch.nn.Hardsigmoid",)
    functions = ("torch.nn.functional.hardsigmoid",)
    function = "nn.functional.hardsigmoid"
    examples = (
        Example(((2, 3, 5),), written=("F.hardsigmoid(x)", "nn.Hardsigmoid(inplace=True)")),
    )

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return relu6(x + 3) / 6
